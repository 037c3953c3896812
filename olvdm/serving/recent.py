"""The last few things that have no place on the disk: in memory, and found by name."""

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """Keep things by name; the one that was unused for longest leaves first.

    Args:
        most: Things to keep.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._things: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, name: str, thing: T) -> None:
        """Keep a thing."""
        with self._lock:
            self._things[name] = thing
            self._things.move_to_end(name)
            while len(self._things) > self._most:
                self._things.popitem(last=False)

    def get(self, name: str) -> T | None:
        """Return a thing, None if there is none of that name or it has left."""
        with self._lock:
            if name not in self._things:
                return None
            self._things.move_to_end(name)
            return self._things[name]
