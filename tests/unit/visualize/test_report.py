import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from tests.unit.visualize.payloads import pair_payload
from visualize.inspector.assets import script, style, template
from visualize.payload import Payload
from visualize.report import Report, report_html

HOSTILE = "</script><img src=x onerror=alert(1)><!--<script>"


class Read(HTMLParser):
    """Collect the tags of a page and the text of its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.scripts: list[str] = []
        self.frames: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.frames += [text or "" for name, text in attrs if name == "srcdoc"]

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and data.strip():
            self.scripts.append(data)


def read(page: str) -> Read:
    reader = Read()
    reader.feed(page)
    return reader


def test_report_holds_its_value() -> None:
    payload = pair_payload()
    data = read(report_html(payload)).scripts[0]
    assert Payload.model_validate_json(data) == payload


@pytest.mark.parametrize("field", ["caption", "badge", "warning", "verdict"])
def test_no_text_can_end_the_script_that_holds_it(field: str) -> None:
    reader = read(report_html(pair_payload(**{field: HOSTILE})))
    assert "img" not in reader.tags
    assert json.loads(reader.scripts[0])[field] == HOSTILE


def test_report_may_run_its_own_script_and_style_alone() -> None:
    page = report_html(pair_payload())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]
    for tag in ("script", "style"):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert text is not None
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]


def test_report_names_no_other_place() -> None:
    page = report_html(pair_payload())
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page)
    assert not re.findall(r"<(link|iframe|object)\b", page)


def test_frame_of_the_page_is_small() -> None:
    assert len(template()) + len(style()) + len(script("page")) < 120_000


@pytest.mark.parametrize("text", [template(), style()])
def test_gradio_finds_nothing_to_fill_in(text: str) -> None:
    for sign in ("${", "{{", "`", "\\"):
        assert sign not in text


def test_data_never_becomes_markup() -> None:
    for adapter in ("gradio", "page"):
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "document.write"):
            assert way not in script(adapter)


def test_events_stand_quoted_in_the_script_that_gradio_reads() -> None:
    for name in ("cell", "pin"):
        assert f"'{name}'" in script("gradio")


def test_notebook_shows_the_same_page_in_a_frame_of_its_own() -> None:
    payload = pair_payload(caption=HOSTILE)
    cell = Read()
    cell.feed(Report(payload)._repr_html_())
    assert cell.tags == ["iframe"]
    assert cell.frames == [report_html(payload)]
