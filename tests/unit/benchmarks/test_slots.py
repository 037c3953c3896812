import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.settings import Settings
from benchmarks.slots import run

# A plain slot attention with the names of the package's layer: what is tested is ours, not theirs.
PLAIN = """
import torch
from torch import nn

class SlotAttention(nn.Module):
    def __init__(self, num_slots, dim, iters, hidden_dim):
        super().__init__()
        self.num_slots, self.iters = num_slots, iters
        self.slots_mu = nn.Parameter(torch.randn(1, 1, dim))
        self.slots_logsigma = nn.Parameter(torch.zeros(1, 1, dim))
        self.to_q, self.to_k, self.to_v = (nn.Linear(dim, dim) for _ in range(3))
        self.gru = nn.GRUCell(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, dim))
        self.norm_input, self.norm_slots, self.norm_pre_ff = (nn.LayerNorm(dim) for _ in range(3))

    def forward(self, features):
        batch, _, dim = features.shape
        draw = torch.randn(batch, self.num_slots, dim, dtype=features.dtype)
        slots = self.slots_mu + self.slots_logsigma.exp() * draw
        features = self.norm_input(features)
        keys, values = self.to_k(features), self.to_v(features)
        for _ in range(self.iters):
            queries = self.to_q(self.norm_slots(slots)) * dim**-0.5
            shares = (queries @ keys.transpose(1, 2)).softmax(1)
            updates = (shares / shares.sum(2, keepdim=True)) @ values
            slots = self.gru(updates.flatten(0, 1), slots.flatten(0, 1)).view_as(slots)
            slots = slots + self.mlp(self.norm_pre_ff(slots))
        return slots
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "slot_attention.py").write_text(PLAIN)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("slot_attention", None)


def test_without_the_package_the_reason_is_printed(settings: Settings) -> None:
    (table,) = run(settings)
    assert table.rows == []
    assert "pip install slot-attention" in table.notes[0]


@pytest.mark.usefixtures("package")
def test_folded_attention_gives_what_the_plain_one_gives(settings: Settings) -> None:
    times, ratios = run(settings, sizes=((8, 16),))
    assert len(times.rows) == 6
    assert len(ratios.rows) == 4
    assert all(float(str(row["max abs difference, fp32"])) < 1e-5 for row in ratios.rows)
