import numpy as np
import pytest
import torch

from benchmarks.rounds import Case, Measurement, Spread, dtype_name, measure, probe, times_table


def measurement(probes: list[float]) -> Measurement:
    return Measurement(
        is_wall=False,
        cpu={"slow": [2.0, 9.0], "fast": [1.0, 3.0]},
        wall={"slow": [4.0, 4.0], "fast": [4.0, 4.0]},
        probes={torch.float32: probes},
    )


def test_ratio_is_the_median_of_the_rounds_and_not_a_ratio_of_medians() -> None:
    assert measurement([1.0, 1.0]).ratio("slow", "fast") == Spread(2.5, 2.25, 2.75)


def test_several_threads_are_compared_by_wall_time() -> None:
    found = measurement([1.0, 1.0])
    found.is_wall = True
    assert found.ratio("slow", "fast").median == 1.0


@pytest.mark.parametrize(("rate", "is_unstable"), [(115.0, False), (140.0, True)])
def test_a_roofline_that_moved_too_far_is_said(rate, is_unstable) -> None:
    assert ("unstable" in measurement([100.0, rate]).probe_text()) == is_unstable


def test_share_of_the_roofline_takes_each_round_with_its_own_probe() -> None:
    found = measurement([1.0, 2.0])
    share = found.roofline_share("fast", 3e9, torch.float32)
    assert share == Spread.of(np.array([3.0, 0.5]))


def test_every_round_begins_with_another_case() -> None:
    order: list[str] = []
    cases = [Case(name, lambda name=name: order.append(name)) for name in "abc"]
    found = measure(cases, rounds=3, threads=1, dtypes=(torch.float32,))
    assert {name: len(times) for name, times in found.cpu.items()} == {"a": 3, "b": 3, "c": 3}
    runs = [name for place, name in enumerate(order) if place == 0 or order[place - 1] != name]
    assert "".join(runs) == "abc" + "abc" + "bca" + "cab"  # warm-up, then the rounds


def test_threads_of_a_case_are_its_own() -> None:
    seen: set[tuple[str, int]] = set()
    cases = [
        Case("one", lambda: seen.add(("one", torch.get_num_threads()))),
        Case("two", lambda: seen.add(("two", torch.get_num_threads())), threads=2),
    ]
    measure(cases, rounds=1, threads=1, dtypes=())
    assert seen == {("one", 1), ("two", 2)}


def test_times_are_rows_with_further_columns() -> None:
    rows = times_table(measurement([1.0, 1.0]), {"slow": {"GFLOP": 1.0}, "fast": {"GFLOP": 2.0}})
    assert [(row["case"], row["GFLOP"]) for row in rows] == [("slow", 1.0), ("fast", 2.0)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=dtype_name)
def test_probe_is_a_rate(dtype) -> None:
    assert probe(dtype) > 0


def test_spread_reads_as_median_and_quartiles() -> None:
    assert str(Spread(1.7234, 1.7, 1.81)) == "1.72 (1.7 to 1.81)"
