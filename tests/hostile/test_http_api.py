"""Bad requests through the real doors: each gets one clean answer, and the next good one works."""

import json
import math
import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app_server import ROOT, AppServer, make_checkpoints, running_app

GOOD = ("a red circle moves right", 3, 1, 3.0)
FIELDS = {"prompt": 0, "seed": 1, "num_inference_steps": 2, "guidance_scale": 3}
LEAKS = re.compile(rf"Traceback|site-packages|{re.escape(str(ROOT))}|/home/|/root/|/usr/|/tmp/")
BAD_NUMBERS = [math.nan, math.inf, -math.inf, 2**70, -1, 1e10, "10", "abc", None, True, [1], {}]
BAD_TEXTS = ["", "   ", "x" * 301, "x" * 50_000, None, 7, ["a"], {"a": 1}]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    folder = tmp_path_factory.mktemp("app")
    with running_app(make_checkpoints(folder / "checkpoints"), folder) as server:
        assert server.call("compare", *GOOD)[0] == "complete"  # the models are loaded now
        yield server


def asked(field: str, value: object) -> list[object]:
    arguments: list[object] = list(GOOD)
    arguments[FIELDS[field]] = value
    return arguments


@pytest.mark.parametrize("value", BAD_NUMBERS, ids=repr)
@pytest.mark.parametrize("field", ["seed", "num_inference_steps", "guidance_scale"])
def test_bad_number_is_refused_cleanly(app, field, value) -> None:
    event, answer = app.call("compare", *asked(field, value))
    assert event == "error" or event.startswith("http 4")
    assert not LEAKS.search(json.dumps(answer))


@pytest.mark.parametrize("value", BAD_TEXTS, ids=lambda value: repr(value)[:20])
def test_bad_prompt_is_refused_cleanly(app, value) -> None:
    event, answer = app.call("compare", *asked("prompt", value))
    assert event == "error" or event.startswith("http 4")
    assert not LEAKS.search(json.dumps(answer))


@pytest.mark.parametrize(
    "prompt",
    ["\U0001f600 \U0001f697", "\u202egnirts", "<script>alert(1)</script>", "a\x00b\x1b[31m\nc"],
    ids=ascii,
)
def test_odd_prompt_is_text_like_any_other(app, prompt) -> None:
    assert app.call("compare", *asked("prompt", prompt))[0] == "complete"


@pytest.mark.parametrize("value", [10.0, 1])
def test_whole_numbers_are_taken_in_either_form(app, value) -> None:
    assert app.call("compare", *asked("num_inference_steps", value))[0] == "complete"


def test_refusal_names_the_field_and_its_limit(app) -> None:
    _, answer = app.call("compare", *asked("num_inference_steps", None))
    assert "num_inference_steps must be a whole number from 1 to 100" in answer["error"]


def test_answer_holds_no_number_that_json_lacks(app) -> None:
    _, answer = app.call("compare", *GOOD)
    json.dumps(answer, allow_nan=False)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../etc/passwd", "http://127.0.0.1:1/a.mp4", "a.mp4", "", None]
)
def test_forged_file_is_refused(app, path) -> None:
    event, answer = app.call("read", {"path": path, "meta": {"_type": "gradio.FileData"}})
    assert event == "error" or event.startswith("http 4")
    assert "root:" not in json.dumps(answer)


@pytest.mark.parametrize("key", ["../lvdm", "/etc", None, 3, "unknown"])
def test_only_listed_comparisons_can_be_chosen(app, key) -> None:
    assert app.call("stored", key)[0] == "error"


@pytest.mark.parametrize("clip_id", ["0" * 32, None, {"a": 1}])
def test_inspection_takes_no_clip_from_outside(app, clip_id) -> None:
    event, _ = app.call("inspect", clip_id, 4, 8, 0)
    assert event == "error" or event.startswith("http 4")


@pytest.mark.parametrize("name", ["compare", "inspect", "read", "stored"])
def test_way_around_the_queue_is_closed(app, name) -> None:
    status, _ = app.post(f"/gradio_api/run/{name}", {"data": list(GOOD)})
    assert status == 404


@pytest.mark.parametrize("name", ["unknown", "../config", "%00", "lambda"])
def test_unknown_handler_is_refused(app, name) -> None:
    status, text = app.post(f"/gradio_api/call/{name}", {"data": []})
    assert 400 <= status < 500
    assert not LEAKS.search(text)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"[" * 20_000, b'{"data": 3}', b"\xff\xfe"], ids=repr
)
def test_broken_body_is_refused(app, body) -> None:
    status, text = app.post("/gradio_api/call/compare", body)
    assert 400 <= status < 500
    assert not LEAKS.search(text)


def test_huge_body_is_refused(app) -> None:
    status, _ = app.post("/gradio_api/call/compare", b" " * 70_000)
    assert status == 413


@pytest.mark.parametrize("header", [{"host": "evil.example"}, {"origin": "https://evil.example"}])
def test_foreign_pages_are_refused(app, header) -> None:
    status, _ = app.post("/gradio_api/call/compare", {"data": list(GOOD)}, **header)
    assert status == 403


@pytest.mark.parametrize("path", ["/etc/passwd", "app.py", "checkpoints/README.md", "../app.py"])
def test_no_file_of_the_machine_is_served(app, path) -> None:
    status, text = app.request(f"/gradio_api/file={urllib.parse.quote(path)}")
    assert status in (403, 404)
    assert "root:" not in text


@pytest.mark.parametrize("path", ["/monitoring", "/docs", "/openapi.json", "/redoc"])
def test_pages_that_tell_of_the_server_are_off(app, path) -> None:
    status, text = app.request(path)
    assert status >= 400 or "OLVDM" in text  # any other address shows the app


def test_no_endpoint_is_advertised(app) -> None:
    _, text = app.request("/gradio_api/info")
    assert json.loads(text)["named_endpoints"] == {}


def test_log_says_nothing_of_what_a_person_sent(app) -> None:
    before = len(app.log.read_text())
    app.call("compare", "CANARY-7431 moves", math.nan, 1, 3.0)
    app.call("compare", "CANARY-7431 moves", 3, None, 3.0)
    app.call("compare", "CANARY-7431 moves", 3, 1, 3.0)
    assert app.log.read_text()[before:] == ""


def test_refused_requests_leave_no_file(app) -> None:
    before = app.files()
    for _ in range(3):
        app.call("compare", *asked("prompt", ""))
    assert app.files() == before


def test_good_request_works_after_all_of_these(app) -> None:
    event, answer = app.call("compare", *GOOD)
    assert event == "complete"
    assert Path(app.log).exists()
    assert answer[0]["phase"] == "done"
