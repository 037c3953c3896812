import numpy as np
import pytest

from olvdm.errors import InputError
from olvdm.serving.clip_shelf import ClipShelf, ShelvedClip


def clip(name: str = "clip") -> ShelvedClip:
    return ShelvedClip(name, np.zeros((8, 16, 16, 3), np.uint8), 8.0, is_upload=True)


def test_clip_is_found_by_its_name() -> None:
    shelf, one = ClipShelf(), clip()
    assert shelf.get(shelf.put(one)) is one


def test_names_cannot_be_guessed() -> None:
    shelf = ClipShelf()
    names = {shelf.put(clip()) for _ in range(10)}
    assert len(names) == 10
    assert all(len(name) == 32 for name in names)


@pytest.mark.parametrize("wrong", [None, "", "0" * 32, 7, [], {}])
def test_wrong_name_is_refused_in_words(wrong) -> None:
    with pytest.raises(InputError, match="Choose a video"):
        ClipShelf().get(wrong)


def test_clip_that_was_unused_for_longest_leaves_first() -> None:
    shelf = ClipShelf(most=2)
    old, used = shelf.put(clip()), shelf.put(clip())
    shelf.get(old)
    shelf.put(clip())
    shelf.get(old)
    with pytest.raises(InputError):
        shelf.get(used)
