"""Bad requests through the real doors: each gets one clean answer, and the next good one works."""

import json
import math
import re
import shutil
import socket
import subprocess
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from tests.app_server import ROOT, AppServer, make_checkpoints, running_app
from tests.clip_files import make_video
from visualize.screen import texts
from visualize.screen.runs import snippets

GOOD = ("a red circle moves right", 3, 1, 3.0)
FIELDS = {"prompt": 0, "seed": 1, "num_inference_steps": 2, "guidance_scale": 3}
LEAKS = re.compile(rf"Traceback|site-packages|{re.escape(str(ROOT))}|/home/|/root/|/usr/|/tmp/")
BAD_NUMBERS = [math.nan, math.inf, -math.inf, 2**70, -1, 1e10, "10", "abc", None, True, [1], {}]
BAD_TEXTS = ["", "   ", "x" * 301, "x" * 50_000, None, 7, ["a"], {"a": 1}]
BAD_RUNS = ["", "0" * 16, "../lvdm", "/etc/passwd", "\x00", "x" * 5_000, None, 7, True, ["a"], {}]
ENDPOINTS = {
    "generate": ["prompt", "seed", "checkpoint", "num_inference_steps", "guidance_scale"],
    "compare": ["prompt", "seed", "num_inference_steps", "guidance_scale"],
    "inspect": ["clip", "num_slots", "max_frames", "adapt_steps"],
    "metrics": ["run_id"],
    "list_checkpoints": [],
}
NAMED = (False, None)  # no blind trial
PRIVATE = ("read", "read_other", "look", "on_stored", "on_generate", "on_take", "on_pair", "on_run")
SHARE = re.compile(r'"(path|url)": ?"[^"]*"')  # of a file that the app offers


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    folder = tmp_path_factory.mktemp("app")
    with running_app(make_checkpoints(folder / "checkpoints"), folder) as server:
        assert server.call("compare", *GOOD)[0] == "complete"  # the models are loaded now
        yield server


@pytest.fixture(scope="module")
def described(app: AppServer) -> dict[str, Any]:
    return json.loads(app.request("/gradio_api/info")[1])


def asked(field: str, value: object) -> list[object]:
    arguments: list[object] = list(GOOD)
    arguments[FIELDS[field]] = value
    return arguments


def assert_refused(answer: tuple[str, Any]) -> None:
    event, data = answer
    assert event == "error" or event.startswith("http 4")
    assert not LEAKS.search(json.dumps(data))


def sent_file(path: object) -> dict[str, object]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


class TestDescription:
    def test_five_endpoints_are_offered(self, described) -> None:
        assert set(described["named_endpoints"]) == {f"/{name}" for name in ENDPOINTS}
        assert described["unnamed_endpoints"] == {}

    @pytest.mark.parametrize("name", ENDPOINTS)
    def test_every_argument_has_its_name_and_kind(self, described, name) -> None:
        parameters = described["named_endpoints"][f"/{name}"]["parameters"]
        for naming in ("label", "parameter_name"):
            assert [each[naming] for each in parameters] == ENDPOINTS[name]
        assert all(each["python_type"]["type"] not in ("", "Any") for each in parameters)

    @pytest.mark.parametrize("name", ENDPOINTS)
    def test_every_argument_is_explained(self, described, name) -> None:
        words = json.dumps(described["named_endpoints"][f"/{name}"])
        assert texts.ENDPOINTS[name].split("\n")[0] in words
        assert all(f"{each}: " in texts.ENDPOINTS[name] for each in ENDPOINTS[name])

    def test_description_leaks_nothing(self, app) -> None:
        assert not LEAKS.search(app.request("/gradio_api/info")[1])


class TestComparison:
    @pytest.mark.parametrize("value", BAD_NUMBERS, ids=repr)
    @pytest.mark.parametrize("field", ["seed", "num_inference_steps", "guidance_scale"])
    def test_bad_number_is_refused_cleanly(self, app, field, value) -> None:
        assert_refused(app.call("compare", *asked(field, value)))

    @pytest.mark.parametrize("value", BAD_TEXTS, ids=lambda value: repr(value)[:20])
    def test_bad_prompt_is_refused_cleanly(self, app, value) -> None:
        assert_refused(app.call("compare", *asked("prompt", value)))

    @pytest.mark.parametrize(
        "prompt",
        ["\U0001f600 \U0001f697", "\u202egnirts", "<script>alert(1)</script>", "a\x00b\x1b[31m\nc"],
        ids=ascii,
    )
    def test_odd_prompt_is_text_like_any_other(self, app, prompt) -> None:
        assert app.call("compare", *asked("prompt", prompt))[0] == "complete"

    @pytest.mark.parametrize("value", [1.0, 1])
    def test_whole_numbers_are_taken_in_either_form(self, app, value) -> None:
        assert app.call("compare", *asked("num_inference_steps", value))[0] == "complete"

    @pytest.mark.parametrize(
        ("value", "said"), [(None, "is missing; give"), (101, "must be")], ids=["none", "too many"]
    )
    def test_refusal_names_the_field_and_its_limit(self, app, value, said) -> None:
        _, answer = app.call("compare", *asked("num_inference_steps", value))
        sentence = f"num_inference_steps {said} a whole number from 1 to 100"
        assert sentence in answer["error"]

    @pytest.mark.parametrize("arguments", [(), GOOD[:2]])
    def test_missing_arguments_are_refused_cleanly(self, app, arguments) -> None:
        assert_refused(app.call("compare", *arguments))


class TestOtherEndpoints:
    @pytest.mark.parametrize("name", ["", "other", "../olvdm", None, 7, ["olvdm"], {"a": 1}])
    def test_unknown_model_is_refused_cleanly(self, app, name) -> None:
        assert_refused(app.call("generate", *GOOD[:2], name, *GOOD[2:]))

    @pytest.mark.parametrize("value", [None, "", 301 * "x", math.nan, ["a"]], ids=repr)
    def test_generation_checks_like_the_comparison(self, app, value) -> None:
        assert_refused(app.call("generate", value, value, "olvdm", value, value))

    @pytest.mark.parametrize("run_id", BAD_RUNS, ids=lambda value: repr(value)[:20])
    def test_unknown_run_is_refused_cleanly(self, app, run_id) -> None:
        assert_refused(app.call("metrics", run_id))

    @pytest.mark.parametrize("value", [1, 12, math.nan, "4", None, True, [4]], ids=repr)
    def test_bad_setting_of_an_inspection_is_refused_cleanly(self, app, value) -> None:
        file = sent_file(app.upload(make_video()))
        assert_refused(app.call("inspect", file, value, 8, 0))
        assert_refused(app.call("inspect", file, 4, 8, -1))

    @pytest.mark.parametrize("extra", ["x", None, 10**400])
    def test_more_arguments_than_there_are_change_nothing(self, app, extra) -> None:
        event, _ = app.call("list_checkpoints", extra)
        assert event == "complete" or event.startswith("http 4")


class TestForgedFiles:
    @pytest.mark.parametrize("door", ["inspect", "read", "read_other"])
    @pytest.mark.parametrize(
        "path",
        [
            "/etc/passwd",
            "../../etc/passwd",
            "/proc/self/environ",
            "http://127.0.0.1:1/a.mp4",
            "file:///etc/passwd",
            "a.mp4",
            "app.py",
            ".",
            "\x00",
            "",
            None,
            7,
        ],
    )
    def test_path_that_was_not_uploaded_is_refused(self, app, door, path) -> None:
        rest = (4, 8, 0) if door == "inspect" else ()
        event, answer = app.call(door, sent_file(path), *rest)
        assert_refused((event, answer))
        assert "root:" not in json.dumps(answer)

    @pytest.mark.parametrize("value", [None, "/etc/passwd", 7, [], {}, {"path": "/etc/passwd"}])
    def test_anything_but_a_file_is_refused(self, app, value) -> None:
        assert_refused(app.call("inspect", value, 4, 8, 0))

    def test_refusal_is_told_in_words(self, app) -> None:
        _, answer = app.call("inspect", sent_file("/etc/passwd"), 4, 8, 0)
        assert answer["error"] == texts.UNREADABLE

    def test_link_in_the_upload_folder_leads_nowhere(self, app, tmp_path) -> None:
        secret = tmp_path / "secret.mp4"
        secret.write_bytes(make_video())
        link = next(app.temp.glob("olvdm-temp-*")) / "link.mp4"
        link.symlink_to(secret)
        assert_refused(app.call("inspect", sent_file(str(link)), 4, 8, 0))
        assert secret.exists()
        link.unlink(missing_ok=True)

    def test_upload_folder_itself_is_no_clip(self, app) -> None:
        folder = next(app.temp.glob("olvdm-temp-*"))
        assert_refused(app.call("inspect", sent_file(str(folder)), 4, 8, 0))
        assert folder.is_dir()

    def test_run_of_the_store_is_no_upload(self, app) -> None:
        run = next(app.runs.glob("*/lvdm.npz"))
        assert_refused(app.call("inspect", sent_file(str(run)), 4, 8, 0))
        assert run.exists()

    def test_uploaded_clip_is_taken_once(self, app) -> None:
        file = sent_file(app.upload(make_video()))
        assert app.call("inspect", file, 4, 8, 0)[0] == "complete"
        assert_refused(app.call("inspect", file, 4, 8, 0))


class TestPrivateHandlers:
    @pytest.mark.parametrize("key", ["../lvdm", "/etc", None, 3, "unknown", ["1-behind"]])
    def test_only_listed_comparisons_can_be_chosen(self, app, key) -> None:
        assert_refused(app.call("on_stored", key, *NAMED))

    @pytest.mark.parametrize("clip_id", ["0" * 32, None, {"a": 1}])
    def test_inspection_takes_no_clip_from_outside(self, app, clip_id) -> None:
        assert_refused(app.call("look", clip_id, clip_id, 4, 8, 0, False))

    @pytest.mark.parametrize("run_id", BAD_RUNS, ids=lambda value: repr(value)[:20])
    def test_runs_are_found_by_their_names_alone(self, app, run_id) -> None:
        assert_refused(app.call("on_run", run_id, *NAMED))
        assert_refused(app.call("on_pair", run_id, "lvdm", run_id, "olvdm", *NAMED))
        assert_refused(app.call("on_pair", "1-behind", run_id, "1-behind", run_id, *NAMED))

    @pytest.mark.parametrize("kind", ["exe", "../npz", None, 7, ["npz"]])
    def test_only_offered_files_are_written(self, app, kind) -> None:
        before = app.files()
        assert_refused(app.call("on_take", "1-behind", kind))
        assert app.files() == before

    @pytest.mark.parametrize("name", [*ENDPOINTS, *PRIVATE])
    def test_way_around_the_queue_is_closed(self, app, name) -> None:
        status, _ = app.post(f"/gradio_api/run/{name}", {"data": list(GOOD)})
        assert status == 404

    @pytest.mark.parametrize("name", ["unknown", "../config", "%00", "lambda"])
    def test_unknown_handler_is_refused(self, app, name) -> None:
        status, text = app.post(f"/gradio_api/call/{name}", {"data": []})
        assert 400 <= status < 500
        assert not LEAKS.search(text)


class TestDoors:
    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b"null", b"[" * 20_000, b'{"data": 3}', b"\xff\xfe"], ids=repr
    )
    def test_broken_body_is_refused(self, app, body) -> None:
        status, text = app.post("/gradio_api/call/compare", body)
        assert 400 <= status < 500
        assert not LEAKS.search(text)

    def test_answer_that_was_given_is_refused_at_once(self, app) -> None:
        _, text = app.post("/gradio_api/call/list_checkpoints", {"data": []})
        path = f"/gradio_api/call/list_checkpoints/{json.loads(text)['event_id']}"
        assert "event: complete" in app.request(path)[1]
        status, words = app.request(path)
        assert (status, "send the request again" in words) == (410, True)

    def test_huge_body_is_refused(self, app) -> None:
        status, _ = app.post("/gradio_api/call/compare", b" " * 70_000)
        assert status == 413

    @pytest.mark.parametrize(
        "header", [{"host": "evil.example"}, {"origin": "https://evil.example"}]
    )
    def test_foreign_pages_are_refused(self, app, header) -> None:
        status, _ = app.post("/gradio_api/call/compare", {"data": list(GOOD)}, **header)
        assert status == 403

    @pytest.mark.parametrize(
        "path", ["/etc/passwd", "app.py", "checkpoints/README.md", "../app.py"]
    )
    def test_no_file_of_the_machine_is_served(self, app, path) -> None:
        status, text = app.request(f"/gradio_api/file={urllib.parse.quote(path)}")
        assert status in (403, 404)
        assert "root:" not in text

    def test_kept_runs_are_not_served(self, app) -> None:
        run = next(app.runs.glob("*/lvdm.npz"))
        status, _ = app.request(f"/gradio_api/file={urllib.parse.quote(str(run))}")
        assert status in (403, 404)

    @pytest.mark.parametrize("path", ["/monitoring", "/docs", "/openapi.json", "/redoc"])
    def test_pages_that_tell_of_the_server_are_off(self, app, path) -> None:
        status, text = app.request(path)
        assert status >= 400 or "OLVDM" in text  # any other address shows the app

    @pytest.mark.parametrize(
        "query",
        [
            "run=../../etc/passwd",
            "run=" + "0" * 16 + "&t=-1&cell=a.b.c.d",
            "run=1-behind&t=9999&cell=9.9.9.9&prompt=%3Cscript%3E&seed=NaN",
            "run=%00&t=%F0%9F%98%80",
        ],
    )
    def test_hostile_address_shows_the_page(self, app, query) -> None:
        status, text = app.request(f"/?{query}")
        assert status == 200
        assert "<script>alert" not in text


class TestWhatIsLeft:
    def test_raw_answer_holds_no_number_that_json_lacks(self, app) -> None:
        for name, arguments in (("compare", GOOD), ("metrics", ("1-behind",))):
            text = raw_answer(app, name, *arguments)
            assert not re.search(r"\b(NaN|Infinity)\b", text)

    def test_answers_tell_nothing_of_the_machine(self, app) -> None:
        text = raw_answer(app, "list_checkpoints") + raw_answer(app, "metrics", "1-behind")
        assert not LEAKS.search(text)

    def test_log_says_nothing_of_what_a_person_sent(self, app) -> None:
        before = len(app.log.read_text())
        app.call("compare", "CANARY-7431 moves", math.nan, 1, 3.0)
        app.call("compare", "CANARY-7431 moves", 3, None, 3.0)
        app.call("compare", "CANARY-7431 moves", 3, 1, 3.0)
        app.call("generate", "a", 3, "CANARY-7431", 1, 3.0)
        app.call("metrics", "CANARY-7431")
        app.call("on_run", {"CANARY-7431": 1}, *NAMED)
        app.call("inspect", sent_file("/CANARY-7431.mp4"), 4, 8, 0)
        app.call("inspect", "CANARY-7431", 4, 8, 0)
        app.call("read", sent_file("http://CANARY-7431/"))
        app.call("compare", "CANARY-7431")
        file = app.upload(b"CANARY-7431", "CANARY-7431.mp4")
        app.call("inspect", sent_file(file), 4, 8, 0)
        assert app.log.read_text()[before:] == ""

    def test_refused_requests_leave_no_file(self, app) -> None:
        before = app.files()
        for _ in range(3):
            app.call("compare", *asked("prompt", ""))
            app.call("metrics", "0" * 16)
        assert app.files() == before

    @pytest.mark.parametrize("data", [b"not a video", b""], ids=["text", "empty"])
    def test_refused_uploads_leave_no_file(self, app, data) -> None:
        before = app.files()
        for door, settings in (("inspect", (4, 8, 0)), ("read", ()), ("read_other", ())):
            app.call(door, sent_file(app.upload(data)), *settings)
        assert app.files() == before

    def test_shell_snippet_of_the_page_works_whatever_the_prompt_is(self, app, tmp_path) -> None:
        bash = shutil.which("bash")
        if bash is None or shutil.which("curl") is None:
            pytest.skip("the snippet needs bash and curl, which are not installed")
        prompt = f'a red circle\'; touch {tmp_path}/broken; $(touch {tmp_path}/broken) "moves"'
        shell, _, _ = snippets(app.url, prompt, 3, 1, 3.0)
        ended = subprocess.run([bash, "-c", shell], capture_output=True, text=True, check=True)
        assert "event: complete" in ended.stdout
        assert list(tmp_path.iterdir()) == []

    def test_good_request_works_after_all_of_these(self, app) -> None:
        event, (report, files) = app.call("compare", *GOOD)
        assert event == "complete"
        assert list(report["clips"]) == ["lvdm", "olvdm"]
        assert len(files) == 2


def raw_answer(app: AppServer, name: str, *arguments: object) -> str:
    """Return the stream of an answer as it came, less the places of its files."""
    _, text = app.post(f"/gradio_api/call/{name}", {"data": list(arguments)})
    _, stream = app.request(f"/gradio_api/call/{name}/{json.loads(text)['event_id']}")
    assert "event: complete" in stream
    return SHARE.sub("", stream)


STORE_LIMIT = 4_000_000  # some three runs
SMALL_APP = f"""
import socket, sys
from olvdm import limits

look_up = socket.getaddrinfo

def told(host, *args, **kwargs):
    print("LOOKED UP", host, flush=True)
    return look_up(host, *args, **kwargs)

socket.getaddrinfo = told
limits.RUN_STORE_BYTES = {STORE_LIMIT}
import app

sys.exit(app.main())
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    folder = tmp_path_factory.mktemp("small")
    checkpoints = make_checkpoints(folder / "checkpoints")
    with running_app(checkpoints, folder, program=("-c", SMALL_APP)) as server:
        yield server


class TestGrowth:
    """Twenty runs and an upload that breaks off, in a store that holds few of them."""

    def test_twenty_runs_stay_within_the_limit_of_the_store(self, small) -> None:
        for seed in range(20):
            assert small.call("on_generate", GOOD[0], seed, 1, 3.0, *NAMED)[0] == "complete"
        kept = sum(path.stat().st_size for path in small.runs.rglob("*") if path.is_file())
        assert 0 < kept <= STORE_LIMIT
        assert len(list(small.runs.iterdir())) < 20
        assert small.files() == 0  # previews and results leave nothing in the temporary folder

    def test_upload_that_breaks_off_leaves_one_file_for_the_janitor(self, small) -> None:
        head = (
            f"POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1:{small.port}\r\n"
            "Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: 1000000\r\n\r\n"
            '--edge\r\nContent-Disposition: form-data; name="files"; filename="a.mp4"\r\n\r\n'
        )
        with socket.create_connection(("127.0.0.1", small.port)) as connection:
            connection.sendall(head.encode() + b"x" * 200_000)
        time.sleep(1)
        assert small.files() <= 1
        assert small.request("/config")[0] == 200

    def test_server_asks_for_no_name_but_its_own(self, small) -> None:
        asked_for = re.findall("LOOKED UP (.*)", small.log.read_text())
        assert set(asked_for) <= {"127.0.0.1", "localhost", "::1", "None"}
