"""On how many threads a process of ours draws: on one, unless its user says otherwise.

Where one thread draws and there are more cores, several clips are drawn side by side.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager

CHOICES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")  # what torch reads when it is imported


def draw_on_one_thread() -> None:
    """Let torch compute on one thread of the processor, unless a variable chose a number.

    It holds for the whole process, so it is for a process that is ours; a library leaves the
    number to its caller.

    Ours: the operations of a small clip are short, and threads that wait for each other between
    them cost more than they give wherever something else runs too.
    """
    import torch

    if not any(name in os.environ for name in CHOICES):
        torch.set_num_threads(1)


@contextmanager
def one_thread() -> Generator[None]:
    """Do the same for the time of a ``with`` block, for a command that others may call.

    Ours, as `draw_on_one_thread`.
    """
    import torch

    before = torch.get_num_threads()
    draw_on_one_thread()
    try:
        yield
    finally:
        torch.set_num_threads(before)


def num_side_by_side() -> int:
    """Return how many drawings can run at once, each on as many threads as torch has.

    Ours: drawings need not wait for each other, as the threads of one operation do.
    """
    import torch

    return max(1, num_cores() // torch.get_num_threads())


def num_cores() -> int:
    """Return how many cores this process may use, or where no system says so, how many there are.

    Ours: a container or `taskset` may leave fewer than the machine has.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
