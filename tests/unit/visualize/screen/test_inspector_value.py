import json
from dataclasses import replace

import numpy as np
import pytest

from tests.app_server import stored_clip
from tests.unit.visualize.payloads import metric
from visualize.inspected import InspectedClip
from visualize.payload import Start
from visualize.screen import texts
from visualize.screen.inspector_value import (
    empty_value,
    finished_value,
    payload_of,
    restored_value,
    running_value,
    start_of,
    verdict,
)
from visualize.screen.shown import Finished

HOSTILE = "${alert(1)}{{1}}</script><img src=x onerror=alert(1)>"


def clip(name: str = "A", jitter: float = 0.0, num_frames: int = 16) -> InspectedClip:
    return InspectedClip.of(name, "what", stored_clip(jitter, num_frames))


def pair(**changes: object) -> Finished:
    return replace(Finished((clip("A"), clip("B", 0.1))), **changes)


def row(first: float | None, second: float | None, **changes: object):
    return metric(-0.1, 0.1, label="flicker", values=(first, second), **changes)


def said(*rows) -> str:
    return verdict(pair().clips, rows)


@pytest.mark.parametrize(
    "value",
    [empty_value("now"), restored_value(), running_value(())],
    ids=lambda each: each["phase"],
)
def test_value_without_a_result_is_json(value) -> None:
    json.dumps(value, allow_nan=False)


def test_result_is_json_without_nan() -> None:
    json.dumps(finished_value(pair(), plays=False), allow_nan=False)


def test_every_value_differs_from_the_one_before() -> None:
    deliveries = [running_value(())["delivery"], empty_value("")["delivery"]]
    assert deliveries[0] != deliveries[1]


def test_empty_inspector_says_what_to_do() -> None:
    assert empty_value("Press it.")["message"] == "Press it."


def test_preview_of_each_clip_travels() -> None:
    frames = stored_clip()["frames"]
    assert len(running_value((frames, frames))["previews"]) == 2


def test_result_carries_its_run_and_its_words() -> None:
    finished = pair(run_id="0123456789abcdef", badge="stored", caption=HOSTILE, notes=("note",))
    value = finished_value(finished, plays=True)
    assert (value["run_id"], value["badge"], value["caption"]) == (
        "0123456789abcdef",
        "stored",
        HOSTILE,
    )
    assert value["notes"] == ["note"]
    assert value["plays"] is True


def test_page_opens_where_the_clips_differ_most_and_says_so() -> None:
    gap = np.zeros(16, np.float32)
    gap[9] = 1.0
    flickers = replace(clip("B"), flicker_all=clip("B").flicker_all + gap)
    assert start_of([clip("A"), flickers]) == Start(
        frame=9, reason=texts.OPENED.format(frame=9, name="A")
    )


def test_single_clip_opens_where_it_flickers_most() -> None:
    assert start_of([clip("A", 0.1)]).frame == 14


def test_clips_of_different_length_open_within_both() -> None:
    long, short = clip("A", 0.2), clip("B", num_frames=8)
    assert start_of([long, short]).frame < 8


def test_clip_that_plays_begins_at_the_beginning() -> None:
    assert payload_of(pair(), plays=True).start == Start()


@pytest.mark.parametrize(("asked", "opened"), [(0, 0), (9, 9), (15, 15), (9999, 15)])
def test_link_opens_at_its_frame_if_there_is_one(asked, opened) -> None:
    assert finished_value(pair(), plays=False, place=Start(frame=asked))["start"]["frame"] == opened


@pytest.mark.parametrize(
    ("cell", "is_there"),
    [
        ((0, 0, 15, 1), True),
        ((0, 0, 16, 1), False),
        ((0, 2, 1, 0), False),
        ((9999, 0, 0, 0), False),
    ],
)
def test_link_pins_only_a_cell_that_is_there(cell, is_there) -> None:
    place = Start(frame=3, cell=cell)
    value = finished_value(pair(), plays=False, place=place)
    assert (value["start"]["cell"] is not None) == is_there


def test_link_opens_the_cell_of_its_clip() -> None:
    place = Start(frame=3, cell=(0, 0, 15, 1), side=1)
    value = finished_value(pair(), plays=False, place=place)
    assert value["start"] == place.model_dump(mode="json")


def test_link_to_the_second_of_one_clip_opens_the_first_without_a_cell() -> None:
    place = Start(frame=3, cell=(0, 0, 1, 0), side=1)
    value = finished_value(Finished((clip(),)), plays=False, place=place)
    assert value["start"] == Start(frame=3).model_dump(mode="json")


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (0.2, 0.1, "better in flicker"),
        (0.1, 0.2, "worse in flicker"),
        (0.1, 0.1001, "about equal in flicker"),
        (0.0, 0.0, "about equal in flicker"),
    ],
)
def test_verdict_says_which_is_worse(first, second, words) -> None:
    assert words in said(row(first, second))


def test_where_more_is_better_the_larger_wins() -> None:
    assert "better in flicker" in said(row(0.1, 0.2, better="higher"))


def test_verdict_on_one_seed_claims_nothing_more() -> None:
    assert "One seed is an observation, not a result" in said(row(0.2, 0.1))


@pytest.mark.parametrize(
    "rows",
    [(), (row(None, 0.1),), (row(0.1, 0.2, better="context"),)],
    ids=("none", "nan", "context"),
)
def test_nothing_to_judge_is_no_verdict(rows) -> None:
    assert said(*rows) == ""


def test_single_clip_has_no_verdict() -> None:
    assert verdict([clip()], [metric(-1.0, 1.0, values=(0.1,))]) == ""
