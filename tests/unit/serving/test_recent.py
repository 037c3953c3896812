from concurrent.futures import ThreadPoolExecutor

from olvdm.serving.recent import Recent


def test_thing_is_found_by_its_name() -> None:
    recent: Recent[str] = Recent(2)
    recent.put("a", "thing")
    assert recent.get("a") == "thing"


def test_unknown_name_is_nothing() -> None:
    assert Recent[str](2).get("a") is None


def test_what_was_unused_for_longest_leaves_first() -> None:
    recent: Recent[int] = Recent(2)
    recent.put("old", 1)
    recent.put("used", 2)
    recent.get("old")
    recent.put("new", 3)
    assert [recent.get(name) for name in ("old", "used", "new")] == [1, None, 3]


def test_thing_that_is_put_again_was_used() -> None:
    recent: Recent[int] = Recent(2)
    for name in ("again", "old", "again", "new"):
        recent.put(name, 1)
    assert [recent.get(name) for name in ("again", "old", "new")] == [1, None, 1]


def test_many_threads_leave_no_more_than_there_is_room_for() -> None:
    recent: Recent[int] = Recent(3)
    names = [str(number) for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: (recent.put(name, 1), recent.get(name)), names))
    assert sum(recent.get(name) is not None for name in names) == 3
