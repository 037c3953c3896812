import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmarks.peers import MissingPeerError
from benchmarks.peers.lvdm import WITH_TEXT, lvdm_unets

# The names that the adapter touches, and nothing else of theirs.
STAND_IN = """
import torch
from torch import nn

class UNetModel(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size_t, padding_t, **settings):
        super().__init__()
        self.context_dim = settings.get("context_dim")
        assert (kernel_size_t, padding_t, settings["use_checkpoint"]) == (1, 0, False)
        self.dtype = torch.float32
        self.time_embed = nn.Linear(4, out_channels)
        self.norm = nn.GroupNorm(1, in_channels)

    def forward(self, latents, timesteps, context=None):
        assert latents.dtype == self.dtype
        assert (context is None) == (self.context_dim is None)
        assert context is None or context.shape[-1] == self.context_dim
        assert self.norm.weight.dtype == torch.float32
        level = self.time_embed(timesteps[:, None].expand(-1, 4))
        normed = self.norm(latents.float()).to(latents.dtype)
        return normed + level[:, :, None, None, None]
"""

# As theirs does where it is to read a text.
ASKS_LATE = """
    def __new__(cls, **settings):
        if settings.get("context_dim"):
            import a_missing_one
        return super().__new__(cls)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "LVDM" / "lvdm" / "models" / "modules"
    folder.mkdir(parents=True)
    (folder / "openaimodel3d.py").write_text(STAND_IN)
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "lvdm"]:
        del sys.modules[name]


@pytest.mark.parametrize("peers", [None, Path("/nowhere")])
def test_without_a_checkout_the_reason_is_given(peers) -> None:
    with pytest.raises(MissingPeerError, match="no checkout of YingqingHe/LVDM"):
        lvdm_unets(peers, 4, 4, 3, torch.float32)


@pytest.mark.parametrize(
    ("dtype", "num_patches"), [(torch.float32, 4), (torch.bfloat16, 7)], ids=["fp32", "bf16"]
)
def test_unets_compute_in_the_dtype_of_their_weights(checkout, dtype, num_patches) -> None:
    peers = lvdm_unets(checkout, 4, 4, 3, dtype)
    latents = torch.randn(1, 4, 4, 8, 8, dtype=dtype)
    for peer in peers:
        prompt_embeds = torch.zeros(1, 2, 3, dtype=dtype)
        prediction = peer.network(latents, torch.full((1, 4), 500.0), prompt_embeds)
        assert prediction.dtype == dtype
        assert len(peer.patches) == num_patches
    assert [peer.name for peer in peers] == [WITH_TEXT, f"{WITH_TEXT} without text"]


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize(
    "code", ["import a_missing_one", STAND_IN + ASKS_LATE], ids=["import", "use"]
)
def test_checkout_that_asks_for_more_names_it(checkout, code) -> None:
    path = checkout / "LVDM" / "lvdm" / "models" / "modules" / "openaimodel3d.py"
    path.write_text(code)
    with pytest.raises(MissingPeerError, match="a_missing_one"):
        lvdm_unets(checkout, 4, 4, 3, torch.float32)
