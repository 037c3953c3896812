from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from olvdm.data.moving_shapes import MovingShapes
from olvdm.errors import InputError
from olvdm.slot_decoder import SlotDrawing
from olvdm.training.config import SlotsConfig
from olvdm.training.identity_head import solve_identity
from olvdm.training.slots import (
    CONSISTENCY_START,
    SlotsStage,
    mixture_loss,
    picture_loss,
    shrink,
)
from tests.tiny_networks import tiny_autoencoder


def config(folder: Path, **changes: object) -> SlotsConfig:
    settings: dict[str, object] = {
        "num_frames": 8,
        "height": 32,
        "width": 32,
        "num_clips": 3,
        "level": "simple",
        "num_slots": 3,
        "slot_dim": 8,
        "feature_dim": 8,
        "hidden_dim": 4,
        "clip_length": 3,
        "single_frame_share": 0.5,
        "precision": "no",
        "latents": str(folder),
        **changes,
    }
    return SlotsConfig(**settings)  # pyright: ignore[reportArgumentType]


def generators(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.fixture(scope="module")
def latents_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("latents")


@pytest.fixture
def stage(latents_folder: Path) -> SlotsStage:
    torch.manual_seed(0)
    return SlotsStage(config(latents_folder), tiny_autoencoder())


def test_single_frames_carry_no_consistency(stage: SlotsStage) -> None:
    assert "consistency" not in stage(stage.fetch([0, 1]), generators(0, 1), 0.0)


def test_clips_carry_consistency(stage: SlotsStage) -> None:
    assert stage(stage.fetch([0, 1]), generators(0, 1), 0.9)["consistency"].isfinite()


@pytest.mark.parametrize(("share", "counts"), [(-0.01, False), (0.01, True)])
def test_consistency_counts_once_slots_have_found_something(
    latents_folder: Path, share: float, counts: bool
) -> None:
    progress = 0.5 + 0.5 * (CONSISTENCY_START + share)
    costs: list[Tensor] = []
    for weight in (0.0, 5.0):
        torch.manual_seed(0)
        stage = SlotsStage(config(latents_folder, consistency_weight=weight), tiny_autoencoder())
        costs.append(stage(stage.fetch([0, 1]), generators(0, 1), progress)["loss"])
    assert bool(costs[0] != costs[1]) == counts


def test_generators_alone_decide_frames_and_slots(stage: SlotsStage) -> None:
    batch = stage.fetch([0, 1])
    first = stage(batch, generators(3, 4), 0.0)["loss"]
    torch.manual_seed(5)
    assert torch.equal(stage(batch, generators(3, 4), 0.0)["loss"], first)
    assert not torch.equal(stage(batch, generators(3, 5), 0.0)["loss"], first)


def test_autoencoder_stays_frozen(stage: SlotsStage) -> None:
    stage(stage.fetch([0]), generators(0), 0.9)["loss"].backward()
    assert all(one.grad is None for one in stage.autoencoder.parameters())
    assert [*stage.networks()] == ["slot_encoder", "slot_decoder"]


@pytest.mark.parametrize("progress", [0.0, 0.95])
def test_gradient_reaches_both_networks(stage: SlotsStage, progress: float) -> None:
    stage(stage.fetch([0, 1]), generators(0, 1), progress)["loss"].backward()
    for network in stage.networks().values():
        reached = [one for one in network.parameters() if one.grad is not None and one.grad.any()]
        assert len(reached) > 3


def test_clips_move_the_mean_of_the_identities_and_single_frames_do_not(stage: SlotsStage) -> None:
    stage(stage.fetch([0]), generators(0), 0.0)
    assert not stage.slot_encoder.get_buffer("identity_mean").any()
    stage(stage.fetch([0]), generators(0), 0.9)
    assert stage.slot_encoder.get_buffer("identity_mean").any()


@torch.no_grad()
def test_networks_that_are_saved_have_the_head_that_their_slots_ask_for(
    stage: SlotsStage,
) -> None:
    before = stage.slot_encoder.to_identity.weight.clone()
    mean = stage.slot_encoder.get_buffer("identity_mean").clone()
    latents = stage.fetch(range(stage.num_examples))["latents"]
    assert isinstance(latents, Tensor)
    repeated = latents[:, :, : stage.config.num_frames]
    encoding = stage.slot_encoder(repeated)
    masks = stage.slot_decoder(encoding.slots, *repeated.shape[-2:]).alpha_masks()
    solved = solve_identity(encoding.slots, masks.mean(dim=(-1, -2)), len(mean))
    stage.prepare_networks()
    assert solved is not None
    torch.testing.assert_close(stage.slot_encoder.to_identity.weight, solved[0])
    assert not torch.equal(stage.slot_encoder.to_identity.weight, before)
    assert torch.equal(stage.slot_encoder.get_buffer("identity_mean"), mean)


def test_head_that_learned_along_is_kept_on_request(latents_folder: Path) -> None:
    stage = SlotsStage(config(latents_folder, solves_identity=False), tiny_autoencoder())
    before = stage.slot_encoder.to_identity.weight.clone()
    stage.prepare_networks()
    assert torch.equal(stage.slot_encoder.to_identity.weight, before)


def test_latents_of_repeated_frames_come_first_then_those_of_the_clip(stage: SlotsStage) -> None:
    latents = stage.fetch([0])["latents"]
    assert isinstance(latents, Tensor)
    assert latents.shape == (1, 4, 8 + 4, 8, 8)


@pytest.mark.parametrize("seed", range(6))
def test_every_window_shows_the_frames_of_its_latents(stage: SlotsStage, seed: int) -> None:
    batch = stage.fetch([1])
    frames, latents = batch["frames"], batch["latents"]
    assert isinstance(frames, Tensor)
    assert isinstance(latents, Tensor)
    small = frames.float().div(127.5).sub(1).permute(0, 4, 1, 2, 3)
    per_frame = shrink(small, 2)
    per_pair = per_frame.unflatten(2, (4, 2)).mean(dim=3)
    candidates = torch.cat([per_frame, per_pair], dim=2)
    chosen, picture = stage._choose_frames(frames, latents, generators(seed))
    places = [
        int((latents[0] - one[:, None]).abs().sum(dim=(0, 2, 3)).argmin())
        for one in chosen[0].unbind(1)
    ]
    assert np.ptp(np.diff(places)) == 0
    torch.testing.assert_close(picture[0], candidates[0, :, places])


def test_validation_scores_the_masks_against_the_truth(
    stage: SlotsStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = stage.validation_clips.data
    assert isinstance(data, MovingShapes)
    truth = {clip.frames.tobytes(): clip.true_masks for clip in data}
    monkeypatch.setattr(stage, "segment", lambda frames: truth[frames.tobytes()][None])
    scores = stage.validate()
    assert (scores["fg_ari"], scores["ari"]) == pytest.approx((1.0, 1.0))


def test_every_pixel_of_every_frame_has_a_winner(stage: SlotsStage) -> None:
    winners = stage.segment(stage.validation_clips.frames([0, 1]))
    assert winners.shape == (2, 8, 32, 32)
    assert set(np.unique(winners)) <= {0, 1, 2}


def test_preview_shows_truth_over_slots(stage: SlotsStage) -> None:
    assert stage.preview(0)["slots"].shape == (8, 64, 128, 3)


def test_windows_longer_than_a_clip_are_refused(latents_folder: Path) -> None:
    with pytest.raises(InputError, match="clip_length must be at most 4 for clips of 8 frames"):
        SlotsStage(config(latents_folder, clip_length=5), tiny_autoencoder())


def test_side_that_the_autoencoder_cannot_divide_is_refused(latents_folder: Path) -> None:
    with pytest.raises(InputError, match="height must be a multiple of 4, got 65"):
        SlotsStage(config(latents_folder, height=65), tiny_autoencoder())


def test_picture_that_is_drawn_costs_nothing() -> None:
    picture = torch.rand(1, 3, 2, 4, 4)
    assert picture_loss(picture, picture) == 0


def test_frame_without_contrast_does_not_outweigh_the_others() -> None:
    flat = torch.zeros(1, 3, 1, 4, 4)
    assert picture_loss(flat + 0.1, flat) < 1


def halves(first: float, second: float, claims: float) -> SlotDrawing:
    """Two slots of one colour each; the first claims the left half, the second the right."""
    logits = torch.full((1, 1, 2, 4, 4), -claims)
    logits[0, 0, 0, :, :2] = logits[0, 0, 1, :, 2:] = claims
    colours = torch.tensor([first, second]).view(1, 1, 2, 1, 1, 1).expand(1, 1, 2, 3, 4, 4)
    empty = torch.zeros(1, 3, 1, 4, 4)
    return SlotDrawing(empty, empty, logits, colours)


def test_mixture_is_explained_where_each_half_has_its_slot() -> None:
    picture = torch.ones(1, 3, 1, 4, 4)
    picture[..., :2] = -1
    assert mixture_loss(halves(-1.0, 1.0, 9.0), picture) < 0.01
    assert mixture_loss(halves(1.0, -1.0, 9.0), picture) > 0.3


def test_two_slots_that_share_a_pixel_do_not_explain_it_by_their_mean() -> None:
    grey = torch.zeros(1, 3, 1, 4, 4)
    missed, met = (mixture_loss(halves(-one, one, 0.0), grey) for one in (1.0, 0.0))
    assert missed > 10 * met
