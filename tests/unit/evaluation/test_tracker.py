import numpy as np
import pytest

from olvdm.data.moving_shapes import COLOURS, MovingShapes
from olvdm.evaluation.tracker import (
    ObjectStability,
    count_objects,
    judge_prompt,
    object_stability,
    track,
    validate_tracker,
)

GREY = (70, 66, 74)


def blank(num_frames: int = 16) -> np.ndarray:
    return np.full((num_frames, 64, 64, 3), GREY, dtype=np.uint8)


def draw(
    frames: np.ndarray,
    colour: str,
    corner: tuple[int, int],
    step: tuple[int, int] = (0, 0),
    sides: tuple[int, ...] = (14,) * 16,
) -> np.ndarray:
    """Draw a moving square by its top left corner (x, y), cut off at the border."""
    for number, (frame, side) in enumerate(zip(frames, sides, strict=True)):
        x, y = corner[0] + step[0] * number, corner[1] + step[1] * number
        frame[max(y, 0) : max(y + side, 0), max(x, 0) : max(x + side, 0)] = COLOURS[colour]
    return frames


def moving_square(colour: str = "red", step: int = 2) -> np.ndarray:
    return draw(blank(), colour, (8, 24), (step, 0))


def hiding_square() -> np.ndarray:
    """A small red square passes behind a large blue one."""
    frames = draw(blank(), "red", (2, 26), (3, 0), (10,) * 16)
    return draw(frames, "blue", (22, 22), sides=(20,) * 16)


def swelling_square() -> np.ndarray:
    return draw(blank(), "red", (20, 20), sides=tuple(range(12, 28)))


@pytest.fixture(scope="module")
def real_stability() -> list[ObjectStability]:
    return [object_stability(clip.frames) for clip in MovingShapes("simple", "test", 12, seed=1)]


def test_simple_clips_are_judged_right() -> None:
    assert min(validate_tracker("simple", num_clips=24).values()) >= 0.95


def test_full_clips_are_judged_well_enough_to_judge_by() -> None:
    assert min(validate_tracker("full", num_clips=12).values()) >= 0.9


def test_objects_of_real_clips_never_come_or_go_in_plain_sight(
    real_stability: list[ObjectStability],
) -> None:
    lost = [one.vanishing + one.appearing + one.identity_switches for one in real_stability]
    assert sum(lost) == 0


def test_objects_of_real_clips_hardly_vary_in_area(real_stability: list[ObjectStability]) -> None:
    assert max(one.area_variation for one in real_stability) < 0.05


def test_positions_follow_the_truth() -> None:
    clip = MovingShapes("simple", "test", 5)[4]
    assert np.abs(track(clip.frames)[0].positions - clip.tracks[:, 0]).max() < 0.5


def test_areas_are_pixels() -> None:
    assert (track(moving_square())[0].areas == 14 * 14).all()


def test_a_large_clip_gives_positions_in_its_own_pixels() -> None:
    frames = moving_square().repeat(3, axis=1).repeat(3, axis=2)
    expected = 3 * track(moving_square())[0].positions
    np.testing.assert_allclose(track(frames)[0].positions, expected, atol=0.5)


@pytest.mark.parametrize(
    ("step", "motion"),
    [((2, 0), "right"), ((-2, 0), "left"), ((0, 2), "down"), ((0, -2), "up"), ((0, 0), "still")],
)
def test_directions_are_named(step: tuple[int, int], motion: str) -> None:
    corner = (26 - 8 * step[0], 26 - 8 * step[1])
    assert track(draw(blank(), "red", corner, step))[0].motion == motion


def test_an_empty_clip_has_no_objects() -> None:
    assert track(blank()) == ()


def test_an_object_that_hides_behind_another_has_not_vanished() -> None:
    assert object_stability(hiding_square()).vanishing == 0


def test_an_object_that_hides_is_counted_all_the_time() -> None:
    assert object_stability(hiding_square()).count_changes == 0


def test_two_objects_of_one_colour_that_cross_stay_two() -> None:
    frames = draw(draw(blank(), "green", (2, 24), (3, 0)), "green", (47, 26), (-3, 0))
    assert sorted(one.motion for one in track(frames)) == ["left", "right"]


def test_an_object_in_two_pieces_is_one() -> None:
    frames = draw(blank(), "yellow", (20, 20), sides=(20,) * 16)
    frames = draw(frames, "blue", (4, 8), (3, 0), (6,) * 16)
    frames = draw(frames, "blue", (4, 26), (3, 0), (6,) * 16)
    assert [one.colour for one in track(frames)].count("yellow") == 1


def test_an_object_that_blinks_vanishes_once() -> None:
    frames = moving_square()
    frames[7:9] = GREY
    assert object_stability(frames).vanishing == 1


def test_an_object_that_is_gone_for_good_vanishes_once() -> None:
    frames = moving_square()
    frames[9:] = GREY
    assert object_stability(frames).vanishing == 1


def test_an_object_that_comes_from_nowhere_appears_once() -> None:
    frames = moving_square()
    frames[:5] = GREY
    assert object_stability(frames).appearing == 1


def test_an_object_that_leaves_the_frame_has_not_vanished() -> None:
    assert object_stability(moving_square(step=5)).vanishing == 0


def test_an_object_that_turns_into_another_switches_identity() -> None:
    frames = moving_square("red")
    frames[8:] = moving_square("cyan")[8:]
    seen = object_stability(frames)
    assert (seen.identity_switches, seen.vanishing, seen.appearing) == (1, 0, 0)


def test_an_object_that_swells_varies_in_area() -> None:
    assert object_stability(swelling_square()).area_variation > 0.2


def test_an_object_that_swells_drifts_in_area() -> None:
    assert object_stability(swelling_square()).area_drift > 0.4


def test_an_object_that_pales_drifts_in_colour() -> None:
    frames = moving_square().astype(np.float64)
    fading = np.linspace(1, 0.6, 16)[:, None, None, None]
    is_paint = frames[..., :1] > 200
    frames = np.where(is_paint, frames * fading, frames).astype(np.uint8)
    assert object_stability(frames).colour_drift > 0.03


def test_empty_frames_are_counted() -> None:
    frames = moving_square()
    frames[12:] = GREY
    assert object_stability(frames).empty_frames == pytest.approx(0.25)


def test_the_right_prompt_agrees_in_everything() -> None:
    agreement = judge_prompt(moving_square(), [("red", "square", "right")])
    assert (agreement.count, agreement.colour, agreement.shape, agreement.direction) == (1, 1, 1, 1)


def test_each_wrong_word_costs_its_own_attribute() -> None:
    agreement = judge_prompt(moving_square(), [("blue", "square", "left")])
    assert (agreement.count, agreement.colour, agreement.shape, agreement.direction) == (1, 0, 1, 0)


def test_a_missing_object_agrees_in_nothing() -> None:
    asked = [("red", "square", "right"), ("blue", "star", "up")]
    agreement = judge_prompt(moving_square(), asked)
    assert (agreement.count, agreement.colour, agreement.shape) == (0, 0.5, 0.5)


def test_the_order_of_the_prompt_does_not_matter() -> None:
    clip = MovingShapes("simple", "test", 3)[1]
    asked = [(one.colour, one.shape, one.motion) for one in clip.objects]
    assert judge_prompt(clip.frames, asked) == judge_prompt(clip.frames, asked[::-1])


def test_a_prompt_without_objects_is_refused() -> None:
    with pytest.raises(ValueError, match="got 0"):
        judge_prompt(blank(), [])


def test_most_frames_decide_the_number_of_objects() -> None:
    frames = moving_square()
    frames[:4] = draw(frames.copy(), "blue", (40, 44))[:4]
    assert count_objects(track(frames), num_frames=16) == 1


def test_textures_do_not_break_an_object() -> None:
    frames = moving_square("yellow", step=0)
    frames[:, 24:38, 11:14] = (140, 125, 16)
    assert len(track(frames)) == 1
