import numpy as np

from olvdm.evaluation.tracks import find_sightings, link_sightings


def labels(num_frames: int = 8) -> np.ndarray:
    return np.full((num_frames, 64, 64), -1, np.int8)


def put(
    frames: np.ndarray, colour: int, x: int, y: int, step: int = 0, side: int = 12
) -> np.ndarray:
    for number, frame in enumerate(frames):
        frame[y : y + side, x + step * number : x + step * number + side] = colour
    return frames


def test_specks_and_thin_lines_are_passed_over() -> None:
    frames = labels()
    frames[:, 5, 5:40] = 2
    frames[:, 30:33, 30:33] = 3
    assert find_sightings(frames) == {}


def test_centres_are_measured_from_the_corner_of_the_frame() -> None:
    sighting = find_sightings(put(labels(1), 0, 10, 20))[0][0][0]
    assert sighting.centre.tolist() == [16, 26]


def test_a_patch_at_the_border_is_not_clear() -> None:
    assert not find_sightings(put(labels(1), 0, 0, 20))[0][0][0].is_clear


def test_a_patch_beside_another_colour_is_not_clear() -> None:
    frames = put(put(labels(1), 0, 10, 20), 1, 23, 20)
    assert not find_sightings(frames)[0][0][0].is_clear


def test_a_patch_by_itself_is_clear() -> None:
    frames = put(put(labels(1), 0, 10, 20), 1, 40, 20)
    assert find_sightings(frames)[0][0][0].is_clear


def test_a_moving_patch_is_one_object() -> None:
    assert len(link_sightings(find_sightings(put(labels(), 0, 2, 20, step=5))[0])) == 1


def test_two_patches_of_one_colour_are_two_objects() -> None:
    frames = put(put(labels(), 0, 4, 8), 0, 40, 40)
    assert len(link_sightings(find_sightings(frames)[0])) == 2


def test_objects_that_merge_for_a_while_know_it() -> None:
    frames = put(put(labels(), 0, 4, 20, step=4), 0, 48, 20, step=-4)
    trails = link_sightings(find_sightings(frames)[0])
    assert [sorted(trail.merged) for trail in trails] == [[4, 5, 6, 7]] * 2


def test_an_object_that_turns_in_hiding_is_taken_up_again() -> None:
    frames = put(labels(), 0, 4, 20, step=3)
    frames[3:5] = -1
    frames[5:] = frames[2::-1]
    assert len(link_sightings(find_sightings(frames)[0])) == 1


def test_a_blip_is_no_object() -> None:
    frames = put(labels(16), 0, 4, 20)
    put(frames[7:8], 0, 44, 44)
    assert len(link_sightings(find_sightings(frames)[0])) == 1


def test_a_prediction_goes_on_in_a_straight_line() -> None:
    trail = link_sightings(find_sightings(put(labels(), 0, 4, 20, step=3)[:5])[0])[0]
    place, speed = trail.predict(6)
    assert (place.tolist(), speed.tolist()) == ([28, 26], [3, 0])
