import numpy as np

from olvdm.evaluation.slot_space import map_slots


def three_objects(num_frames: int = 8) -> np.ndarray:
    """Slots of three objects, far apart, that hardly change in time."""
    rng = np.random.default_rng(0)
    return rng.normal(0, 5, (1, 3, 16)) + rng.normal(0, 0.1, (num_frames, 3, 16))


def test_each_object_is_one_cluster() -> None:
    clusters = map_slots(three_objects()).clusters
    assert (clusters == clusters[0]).all()
    assert len(set(clusters[0].tolist())) == 3


def test_objects_lie_apart_on_the_plane() -> None:
    points = map_slots(three_objects()).points
    apart = np.linalg.norm(points[0, 0] - points[0, 1])
    assert apart > 10 * points[:, 0].std(axis=0).max()


def test_three_points_lie_in_one_plane() -> None:
    assert map_slots(three_objects()).explained.sum() > 0.95


def test_absent_slots_have_no_place() -> None:
    presence = np.ones((8, 3), dtype=bool)
    presence[2, 1] = False
    found = map_slots(three_objects(), presence)
    assert np.isnan(found.points[2, 1]).all()
    assert found.clusters[2, 1] == -1


def test_absent_slots_move_no_other() -> None:
    slots, presence = three_objects(), np.ones((8, 3), dtype=bool)
    presence[2, 1] = False
    first = map_slots(slots, presence).points
    slots[2, 1] = 1e6
    np.testing.assert_array_equal(first, map_slots(slots, presence).points)


def test_the_largest_cluster_comes_first() -> None:
    slots = np.concatenate([np.zeros((4, 2, 3)), np.full((4, 1, 3), 9.0)], axis=1)
    assert map_slots(slots, num_clusters=2).clusters.tolist() == [[0, 0, 1]] * 4


def test_equal_slots_are_one_point_and_one_cluster() -> None:
    found = map_slots(np.ones((4, 3, 8)))
    assert not found.points.any()
    assert not found.clusters.any()


def test_a_clip_without_slots_is_an_empty_map() -> None:
    assert np.isnan(map_slots(three_objects(), np.zeros((8, 3), dtype=bool)).points).all()


def test_a_mirrored_clip_keeps_its_picture_up_to_sign() -> None:
    slots = three_objects()
    first, mirrored = map_slots(slots).points, map_slots(-slots).points
    np.testing.assert_allclose(np.abs(first), np.abs(mirrored), atol=1e-4)
