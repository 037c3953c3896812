import pytest
import torch

from olvdm.errors import InputError
from olvdm.training.config import JudgeConfig
from olvdm.training.judge import JudgeStage
from tests.tiny_judges import tiny_attribute_network


def config(**changes: object) -> JudgeConfig:
    settings: dict[str, object] = {
        "num_frames": 4,
        "height": 16,
        "width": 16,
        "num_clips": 4,
        "level": "simple",
        "widths": (8, 8, 8),
        "feature_dim": 6,
        "precision": "no",
        **changes,
    }
    return JudgeConfig(**settings)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def stage() -> JudgeStage:
    return JudgeStage(config(), tiny_attribute_network())


def test_loss_is_the_sum_of_what_each_attribute_costs(stage: JudgeStage) -> None:
    losses = stage(stage.fetch([0, 1]), [], 0.0)
    parts = [losses[name] for name in ("colour", "shape", "motion", "count")]
    torch.testing.assert_close(losses["loss"], torch.stack(parts).sum())


def test_a_few_steps_lower_the_loss_on_the_same_clips() -> None:
    stage = JudgeStage(config(), tiny_attribute_network(1))
    optimizer = torch.optim.AdamW(stage.parameters(), lr=1e-2)
    batch = stage.fetch([0, 1, 2, 3])
    losses: list[float] = []
    for _ in range(20):
        loss = stage(batch, [], 0.0)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]


def test_scores_are_shares_and_their_mean(stage: JudgeStage) -> None:
    scores = stage.validate()
    shares = [scores[name] for name in ("colour", "shape", "motion", "count")]
    assert all(0 <= share <= 1 for share in shares)
    assert scores["score"] == pytest.approx(sum(shares) / 4)


def test_a_clip_is_read_the_same_whoever_it_is_read_with(stage: JudgeStage) -> None:
    pair, alone = stage.fetch([0, 2]), stage.fetch([2])
    for name, values in alone.items():
        assert isinstance(values, torch.Tensor)
        both = pair[name]
        assert isinstance(both, torch.Tensor)
        assert torch.equal(both[1], values[0])


def test_videos_without_truth_are_refused() -> None:
    with pytest.raises(InputError, match="the judge learns from true attributes"):
        JudgeStage(config(videos="somewhere"))


def test_widths_that_do_not_fit_are_refused_in_words() -> None:
    with pytest.raises(InputError, match="the judge's settings do not fit together"):
        JudgeStage(config(widths=(8, 8, 9)))
