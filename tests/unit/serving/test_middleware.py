import asyncio
import json
import logging

import pytest
from starlette.middleware import Middleware

from olvdm import limits
from olvdm.serving.middleware import (
    AnsweredOnce,
    BodyLimit,
    CatchAll,
    LocalOnly,
    guards,
    log_stack,
)


def request(app, path="/", method="POST", headers=(), chunks=(b"",), kind="http"):
    """Send one request to an ASGI app; return its status, headers and body."""
    scope = {
        "type": kind,
        "path": path,
        "method": method,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    queue = [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
        for number, chunk in enumerate(chunks, 1)
    ]
    sent = []

    async def receive():
        return queue.pop(0)

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    head = sent[0]
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return head.get("status"), {k.decode(): v.decode() for k, v in head.get("headers", [])}, body


def answering(status=200, body=b"fine"):
    async def app(_scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return app


async def failing(_scope, _receive, _send):
    raise RuntimeError("a prompt and /a/path")


async def failing_late(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise RuntimeError("a prompt")


async def swallowing(_scope, receive, send):
    """Read the body as frameworks do: any failure becomes an answer of their own."""
    try:
        while (await receive()).get("more_body"):
            pass
    except OverflowError:
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"Traceback"})


def test_answer_passes_with_one_header_more():
    status, headers, body = request(CatchAll(answering()))
    assert (status, body) == (200, b"fine")
    assert headers == {"x-content-type-options": "nosniff"}


def test_exception_becomes_a_400_with_an_incident(caplog):
    status, headers, body = request(CatchAll(failing))
    assert status == 400
    assert headers["connection"] == "close"
    incident = json.loads(body)["detail"].split()[-1].rstrip(".")
    assert f"incident {incident}: RuntimeError at test_middleware.py" in caplog.text


def test_no_value_reaches_log_or_answer(caplog):
    _, _, body = request(CatchAll(failing))
    assert "prompt" not in caplog.text + body.decode()
    assert "/a/path" not in caplog.text + body.decode()


def test_server_error_becomes_a_400_without_its_text():
    status, _, body = request(CatchAll(answering(500, b"Traceback: /a/path")))
    assert status == 400
    assert b"Traceback" not in body


@pytest.mark.parametrize("status", [404, 413, 422, 503])
def test_answer_that_means_something_passes(status):
    assert request(CatchAll(answering(status)))[0] == status


def test_failure_in_mid_answer_is_logged_and_not_answered_twice(caplog):
    status, _, body = request(CatchAll(failing_late))
    assert (status, body) == (200, b"")
    assert "RuntimeError" in caplog.text


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_what_is_no_request_passes_untouched(kind):
    assert request(CatchAll(BodyLimit(answering())), kind=kind)[2] == b"fine"


@pytest.mark.parametrize(
    "host", ["127.0.0.1:7860", "localhost:7860", "LOCALHOST", "[::1]:7860", "my-machine:80"]
)
def test_own_hosts_are_answered(host):
    app = LocalOnly(answering(), hosts=["My-Machine"])
    assert request(app, method="GET", headers=[("host", host)])[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        [("host", "evil.example:7860")],
        [("host", "127.0.0.1.evil.example")],
        [("host", "evil.example@127.0.0.2")],
        [("host", "")],
        [("host", "[::1")],
        [],
        [("host", "localhost"), ("host", "evil.example")],
    ],
)
def test_foreign_host_is_refused(headers):
    assert request(LocalOnly(answering()), method="GET", headers=headers)[0] == 403


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://evil.example:7860",
        "http://localhost:9999",
        "http://127.0.0.1:7860",
        "http://localhost:7860.evil.example",
        "http://[",
    ],
)
def test_post_from_another_page_is_refused(origin):
    headers = [("host", "localhost:7860"), ("origin", origin)]
    assert request(LocalOnly(answering()), headers=headers)[0] == 403


@pytest.mark.parametrize("origin", [[], [("origin", "http://localhost:7860")]])
def test_post_from_a_page_of_ours_or_a_program_is_answered(origin):
    headers = [("host", "localhost:7860"), *origin]
    assert request(LocalOnly(answering()), headers=headers)[0] == 200


def test_page_may_be_linked_from_elsewhere():
    headers = [("host", "localhost:7860"), ("origin", "http://evil.example")]
    assert request(LocalOnly(answering()), method="GET", headers=headers)[0] == 200


def test_foreign_websocket_is_closed():
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": "/",
        "headers": [(b"host", b"localhost"), (b"origin", b"http://evil.example")],
    }
    asyncio.run(LocalOnly(answering())(scope, asyncio.Queue().get, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_declared_length_over_the_limit_is_413_unread():
    headers = [("content-length", str(limits.JSON_BODY + 1))]
    status, headers, body = request(BodyLimit(failing), headers=headers)
    assert status == 413
    assert "65,536 bytes" in json.loads(body)["detail"]
    assert headers["connection"] == "close"


def test_request_that_is_too_large_is_told_how_long_a_prompt_may_be():
    headers = [("content-length", str(limits.JSON_BODY + 1))]
    _, _, body = request(BodyLimit(failing), headers=headers)
    assert f"{limits.PROMPT_CHARS.high} characters" in json.loads(body)["detail"]


@pytest.mark.parametrize("length", ["abc", "-1", "\u00b2", "1e9", ""])
def test_length_that_is_no_number_is_400(length):
    assert request(BodyLimit(failing), headers=[("content-length", length)])[0] == 400


def test_length_of_a_thousand_digits_is_413():
    assert request(BodyLimit(failing), headers=[("content-length", "9" * 5_000)])[0] == 413


@pytest.mark.parametrize("app", [answering(), swallowing])
def test_chunked_body_is_counted_and_cut_off(app):
    status, _, body = request(BodyLimit(app), chunks=[bytes(40_000)] * 3)
    assert status == 400
    assert "65,536 bytes" in json.loads(body)["detail"]


def test_nothing_beyond_the_limit_reaches_the_app():
    sizes = []

    async def reading(_scope, receive, _send):
        more = True
        while more:
            message = await receive()
            sizes.append(len(message["body"]))
            more = message["more_body"]

    request(BodyLimit(reading), chunks=[bytes(40_000)] * 9)
    assert sizes == [40_000]


def test_body_of_just_the_limit_passes():
    assert request(BodyLimit(answering()), chunks=[bytes(limits.JSON_BODY)])[0] == 200


@pytest.mark.parametrize("path", ["/upload", "/gradio_api/upload", "/gradio_api/upload/"])
def test_upload_may_be_larger(path):
    headers = [("content-length", str(limits.UPLOAD_BODY))]
    assert request(BodyLimit(answering()), path, headers=headers)[0] == 200


def test_upload_ends_too():
    headers = [("content-length", str(limits.UPLOAD_BODY + 1))]
    assert request(BodyLimit(answering()), "/gradio_api/upload", headers=headers)[0] == 413


def test_failure_below_the_limit_is_not_ours():
    with pytest.raises(RuntimeError):
        request(BodyLimit(failing))


def test_answer_is_given_once():
    app = AnsweredOnce(answering())
    one, other = (f"/gradio_api/call/compare/{digit * 32}" for digit in "0a")
    assert [request(app, path, "GET")[0] for path in (one, other, one)] == [200, 200, 410]


@pytest.mark.parametrize("path", ["/", "/gradio_api/call/compare", "/gradio_api/queue/data"])
def test_anything_but_an_answer_is_given_again(path):
    app = AnsweredOnce(answering())
    assert [request(app, path, "GET")[0] for _ in range(2)] == [200, 200]


def test_public_app_checks_no_host():
    assert [guard.cls for guard in guards(is_local=False)] == [CatchAll, BodyLimit, AnsweredOnce]


def test_guards_of_a_local_app_stand_in_order():
    found = guards(is_local=True, hosts=["my-machine"])
    assert all(isinstance(guard, Middleware) for guard in found)
    assert [guard.cls for guard in found] == [CatchAll, LocalOnly, BodyLimit, AnsweredOnce]
    assert found[1].kwargs == {"hosts": ("my-machine",)}


def test_stack_is_one_line(caplog):
    caplog.set_level(logging.ERROR)
    try:
        raise ValueError("first\nsecond")
    except ValueError as error:
        log_stack("abc123", error)
    assert len(caplog.records) == 1
    assert "\n" not in caplog.records[0].getMessage()
