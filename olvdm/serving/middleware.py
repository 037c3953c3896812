"""What stands before Gradio: a body limit, a check of who asks, one answer for every failure."""

import json
import logging
import re
import secrets
import traceback
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from olvdm import limits

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
UPLOAD_ENDING = "/upload"  # of the one route that takes files
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
QUEUE_FULL = 503  # a server error that is an answer
FAILED = 500
ANSWER = re.compile(r"/call/[^/]+/(?P<event>[0-9a-f]{32})/?$")  # the route of an answer
REMEMBERED_ANSWERS = 1_000
TOO_LARGE = (
    "The request is larger than {most:,} bytes; shorten it: a prompt may have "
    f"{limits.PROMPT_CHARS.high} characters."
)
UPLOAD_TOO_LARGE = "The upload is larger than {most:,} bytes; choose a smaller file."
STACK_DEPTH = 12  # innermost calls in the log

log = logging.getLogger(__name__)


def guards(is_local: bool, hosts: Iterable[str] = ()) -> list[Middleware]:
    """Return the middleware of the app, outermost first.

    Args:
        is_local: Whether the app serves the person at this machine. A public Space has no host to
            check, and health probes of a hosting proxy may carry another one.
        hosts: Further names under which this machine is asked for.

    Returns:
        What `app_kwargs["middleware"]` of a Gradio launch takes.

    Ours: each of them answers to a default of Gradio that was measured.
    """
    local = [Middleware(LocalOnly, hosts=tuple(hosts))] if is_local else []
    return [Middleware(CatchAll), *local, Middleware(BodyLimit), Middleware(AnsweredOnce)]


class CatchAll:
    """Answer every failure in one way, and forbid browsers to guess types.

    An exception or a server error becomes a 400 that names an incident; the log has its class and
    stack under that number, without a message or a value. A full queue (503) passes.

    Args:
        app: What is guarded.

    Ours.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_started = is_replaced = False

        async def checked_send(message: Message) -> None:
            nonlocal has_started, is_replaced
            if message["type"] == "http.response.start":
                has_started = True
                if message["status"] >= FAILED and message["status"] != QUEUE_FULL:
                    is_replaced = True
                    log.error("a handler answered %d", message["status"])
                    await refuse(send, 400, "The request could not be handled.")
                else:
                    MutableHeaders(scope=message)["X-Content-Type-Options"] = "nosniff"
            if not is_replaced:
                await send(message)

        try:
            await self.app(scope, receive, checked_send)
        except Exception as error:  # noqa: BLE001 - the last door: every failure has one answer
            incident = secrets.token_hex(3)
            log_stack(incident, error)
            if not has_started:
                await refuse(send, 400, f"The request could not be handled, id {incident}.")


class LocalOnly:
    """Refuse what another web page, or a name rebound to this machine, makes a browser send.

    Args:
        app: What is guarded.
        hosts: Names of this machine besides those of the loopback.

    Ours.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = ()) -> None:
        self.app = app
        self.hosts = {host.lower() for host in (*LOCAL_HOSTS, *hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "lifespan" or self._is_local(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refuse(send, 403, "This app answers only to pages of its own on this machine.")

    def _is_local(self, scope: Scope) -> bool:
        """Tell whether the request was meant for this machine and comes from a page of ours."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _host_name(f"//{hosts[0]}") not in self.hosts:
            return False
        if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
            return True
        return all(
            _address(origin) == hosts[0].lower() and _host_name(origin) in self.hosts
            for origin in headers.getlist("origin")
        )


class BodyLimit:
    """Stop a body that is larger than any request of ours, told or not.

    Args:
        app: What is guarded.
        json_body: Most bytes of a request.
        upload_body: Most bytes of an upload with its envelope.

    Ours.
    """

    def __init__(
        self,
        app: ASGIApp,
        json_body: int = limits.JSON_BODY,
        upload_body: int = limits.UPLOAD_BODY,
    ) -> None:
        self.app = app
        self.json_body = json_body
        self.upload_body = upload_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_upload = scope["path"].rstrip("/").endswith(UPLOAD_ENDING)
        most = self.upload_body if is_upload else self.json_body
        words = (UPLOAD_TOO_LARGE if is_upload else TOO_LARGE).format(most=most)
        declared = Headers(scope=scope).get("content-length", "0")
        if not (declared.isascii() and declared.isdigit()):
            await refuse(send, 400, "The length of the request is not a number.")
        elif len(declared) > len(str(most)) + 9 or int(declared) > most:
            await refuse(send, 413, words)
        else:
            await self._counted(scope, receive, send, most, words)

    async def _counted(
        self, scope: Scope, receive: Receive, send: Send, most: int, words: str
    ) -> None:
        """Pass a request on while its body stays within the limit."""
        received = 0
        has_started = False

        async def counted_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise OverflowError(words)
            return message

        async def unless_too_large(message: Message) -> None:
            nonlocal has_started
            if received <= most or has_started:
                has_started = True
                await send(message)

        try:
            await self.app(scope, counted_receive, unless_too_large)
        except Exception:
            if received <= most or has_started:
                raise
        if received > most and not has_started:
            await refuse(send, 400, words)


class AnsweredOnce:
    """Refuse to give an answer a second time: Gradio would keep who asks for it waiting for ever.

    Args:
        app: What is guarded.
        most: Answers that are remembered, the last ones.

    Ours.
    """

    def __init__(self, app: ASGIApp, most: int = REMEMBERED_ANSWERS) -> None:
        self.app = app
        self.given: deque[str] = deque(maxlen=most)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        found = ANSWER.search(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self.app(scope, receive, send)
        elif found["event"] in self.given:
            await refuse(send, 410, "This answer was given before; send the request again.")
        else:
            await self.app(scope, receive, send)
            self.given.append(found["event"])


async def refuse(send: Send, status: int, detail: str) -> None:
    """Answer with one sentence, and say that the connection ends.

    Args:
        send: Where the answer goes.
        status: Its HTTP status.
        detail: The sentence.

    Ours: after a refusal the rest of a body may still come, so the connection is of no use.
    """
    body = json.dumps({"detail": detail}).encode()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "connection": "close",
        "x-content-type-options": "nosniff",
    }
    raw_headers = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw_headers})
    await send({"type": "http.response.body", "body": body})


def log_stack(incident: str, error: BaseException) -> None:
    """Log where an error arose: its class and stack, but no message and no values.

    Args:
        incident: The number that the person was told.
        error: What happened.

    Ours: messages and values may hold prompts, names and paths.
    """
    calls = traceback.extract_tb(error.__traceback__)[-STACK_DEPTH:]
    stack = " < ".join(f"{Path(call.filename).name}:{call.lineno}" for call in reversed(calls))
    log.error("incident %s: %s at %s", incident, type(error).__name__, stack)


def _host_name(url: str) -> str | None:
    """Return the host of a URL without its port."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _address(url: str) -> str:
    """Return the host of a URL with its port."""
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""
