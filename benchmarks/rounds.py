"""Time cases against each other: interleaved, in rotated order, with a roofline in every round."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float

Seconds = Float[np.ndarray, " rounds"]

PROBE_SIDE = 512
PROBE_CALLS = {torch.float32: 8, torch.bfloat16: 24}
SHORTEST = 0.02  # seconds of a timed stretch; shorter cases are called more than once
UNSTABLE = 0.2  # share by which the roofline may move


@dataclass(frozen=True)
class Case:
    """One thing to time.

    Attributes:
        name: Of the case.
        call: Does it once.
        threads: Threads of torch, or none for those of all cases.
    """

    name: str
    call: Callable[[], object]
    threads: int | None = None


@dataclass(frozen=True)
class Spread:
    """The middle of some numbers, one a round.

    Attributes:
        median: Half of them are below.
        low: A quarter of them are below.
        high: A quarter of them are above.
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Float[np.ndarray, " rounds"]) -> "Spread":
        """Return median and quartiles."""
        low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
        return cls(float(median), float(low), float(high))

    def __str__(self) -> str:
        """Return ``1.72 (1.70 to 1.81)``."""
        median, low, high = (f"{one:.3g}" for one in (self.median, self.low, self.high))
        return f"{median} ({low} to {high})"


@dataclass
class Measurement:
    """What the rounds gave.

    Attributes:
        is_wall: Whether ratios come from wall time: several threads share the work, and the CPU
            time of one of them says little.
        cpu: CPU seconds of this thread, by case and round.
        wall: Wall seconds, likewise.
        probes: The roofline in GFLOPS, by dtype and round.
    """

    is_wall: bool
    cpu: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    wall: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    probes: dict[torch.dtype, list[float]] = field(default_factory=dict[torch.dtype, list[float]])

    def seconds(self, name: str) -> Seconds:
        """Return what one call of a case took in each round, for ratios."""
        return np.array((self.wall if self.is_wall else self.cpu)[name])

    def cpu_ms(self, name: str) -> Spread:
        """Return the CPU milliseconds of one call."""
        return Spread.of(1e3 * np.array(self.cpu[name]))

    def wall_ms(self, name: str) -> Spread:
        """Return the wall milliseconds of one call."""
        return Spread.of(1e3 * np.array(self.wall[name]))

    def ratio(self, slow: str, fast: str) -> Spread:
        """Return how many times as long one case took, round by round."""
        return Spread.of(self.seconds(slow) / self.seconds(fast))

    def roofline_share(self, name: str, flops: float, dtype: torch.dtype) -> Spread:
        """Return the share of the roofline that a case reached.

        Args:
            name: Of the case.
            flops: Of one call.
            dtype: In which it computes.

        Returns:
            The share, each round against its own probe.
        """
        return Spread.of(flops / self.seconds(name) / (1e9 * np.array(self.probes[dtype])))

    def probe_text(self, *dtypes: torch.dtype) -> str:
        """Say how far the roofline moved, and where that is too far."""
        moved = max(self._moved(dtype) for dtype in dtypes or tuple(self.probes))
        return f"moved {moved:.0%}" + (", **unstable**" if moved > UNSTABLE else "")

    def probe_note(self) -> str:
        """Say what the roofline was."""
        rates = ", ".join(
            f"{dtype_name(dtype)} {Spread.of(np.array(rates))}"
            for dtype, rates in self.probes.items()
        )
        return f"Matmul {PROBE_SIDE} in every round, GFLOPS: {rates}."

    def _moved(self, dtype: torch.dtype) -> float:
        rates = np.array(self.probes[dtype])
        return float(np.ptp(rates) / np.median(rates))


def measure(
    cases: Sequence[Case],
    rounds: int,
    threads: int,
    dtypes: Sequence[torch.dtype] = (torch.float32, torch.bfloat16),
) -> Measurement:
    """Time every case once a round, each round from another one on.

    Args:
        cases: What to time.
        rounds: How often.
        threads: Threads of torch.
        dtypes: Of the rooflines.

    Returns:
        The times of all rounds.

    Ours: medians of separate runs moved by 15 % on a shared machine, paired ratios by 3 %.
    """
    found = Measurement(is_wall=threads > 1)
    counts = {case.name: _calls_for(case, threads) for case in cases}
    for number in range(rounds):
        torch.set_num_threads(threads)
        for dtype in dtypes:
            found.probes.setdefault(dtype, []).append(probe(dtype, is_wall=found.is_wall))
        start = number % len(cases)
        for case in (*cases[start:], *cases[:start]):
            torch.set_num_threads(case.threads or threads)
            cpu, wall = _timed(case.call, counts[case.name])
            found.cpu.setdefault(case.name, []).append(cpu)
            found.wall.setdefault(case.name, []).append(wall)
    return found


def probe(dtype: torch.dtype, *, is_wall: bool = False) -> float:
    """Return the rate of a matrix product, in GFLOPS: what this core gives at this moment."""
    matrix = torch.ones(PROBE_SIDE, PROBE_SIDE, dtype=dtype)
    torch.mm(matrix, matrix)
    times = _timed(lambda: torch.mm(matrix, matrix), PROBE_CALLS[dtype])
    return 2 * PROBE_SIDE**3 / times[1 if is_wall else 0] / 1e9


def times_table(
    found: Measurement, more: Mapping[str, Mapping[str, object]] | None = None
) -> list[dict[str, object]]:
    """Return a row a case: CPU and wall time.

    Args:
        found: The times.
        more: Further columns of each case; the same ones for all.

    Returns:
        The rows.
    """
    return [
        {
            "case": name,
            "CPU ms": found.cpu_ms(name),
            "wall ms": found.wall_ms(name),
            **(more[name] if more else {}),
        }
        for name in found.cpu
    ]


def dtype_name(dtype: torch.dtype) -> str:
    """Return ``bf16`` or ``fp32``."""
    return {torch.bfloat16: "bf16", torch.float32: "fp32"}[dtype]


def _calls_for(case: Case, threads: int) -> int:
    """Warm a case up, and return how many calls make a stretch that a clock can tell."""
    torch.set_num_threads(case.threads or threads)
    case.call()
    once, _ = _timed(case.call, 1)
    return max(1, math.ceil(SHORTEST / max(once, 1e-6)))


def _timed(call: Callable[[], object], count: int) -> tuple[float, float]:
    """Return CPU and wall seconds of one call."""
    wall, cpu = time.perf_counter(), time.thread_time()
    for _ in range(count):
        call()
    return (time.thread_time() - cpu) / count, (time.perf_counter() - wall) / count
