import json
from typing import Any

import gradio as gr
import pytest

from visualize.screen import texts
from visualize.screen.pins import _clips, _sent, panel_value
from visualize.screen.shown import Choice, PinnedRun

HOSTILE = "${alert(1)}{{1}}</script><img src=x onerror=alert(1)>"
RUN = PinnedRun("0123456789abcdef", HOSTILE, (Choice("lvdm", "LVDM"), Choice("olvdm", "OLVDM")))
WRONG: list[Any] = [None, 3, "lvdm", [], {}, [1], [1, 2, 3], {"clips": 1}]


def event(data: object) -> gr.EventData:
    return gr.EventData(None, data)


def test_list_says_how_many_there_are_and_how_many_there_can_be() -> None:
    assert panel_value((RUN,), 3)["title"] == texts.PINNED.format(count=1, most=3)


def test_every_clip_says_where_a_press_puts_it() -> None:
    (row,) = panel_value((RUN,), 3)["runs"]
    assert row["clips"][1]["labels"] == ["OLVDM of pinned run 1 as A", "OLVDM of pinned run 1 as B"]


def test_text_of_a_person_travels_as_it_is() -> None:
    value = json.loads(json.dumps(panel_value((RUN,), 3)))
    assert value["runs"][0]["label"] == HOSTILE


def test_event_is_read_by_the_name_of_its_field() -> None:
    assert _sent(event({"run_id": "a"}), "run_id") == "a"


@pytest.mark.parametrize("data", WRONG)
def test_event_that_says_nothing_known_is_nothing(data) -> None:
    assert _sent(event(data), "run_id") is None


def test_two_clips_are_read_in_their_order() -> None:
    assert _clips([["a", "lvdm"], ["b", "olvdm"]]) == [("a", "lvdm"), ("b", "olvdm")]


@pytest.mark.parametrize("sent", [*WRONG, [["a", "lvdm"]], [["a", "lvdm"], "b"]])
def test_whatever_is_sent_there_are_two_places_to_check(sent) -> None:
    assert len(_clips(sent)) == 2
