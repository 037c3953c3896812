"""When it does not go well: a queue, a full one, a server that dies, weights that are missing."""

import json
import urllib.request

from benchmarks.drive.drive import Drive
from benchmarks.running_app import RunningApp
from olvdm import limits
from tests.browser.conftest import set_steps, shown
from visualize.screen import texts

LONG_STEPS = 100
PROMPT = "a red circle moves right"


def wait_in_line(drive: Drive, app: RunningApp) -> None:
    """Keep the models busy, wait behind that job, fill the queue, then lose the server.

    Args:
        drive: So far.
        app: Does not live on.
    """
    first = drive.open("killed server")
    with drive.step("start a long run"):
        shown(first)
        set_steps(first, LONG_STEPS)
        first.locator("#seed input").fill("987654")
        first.locator("#generate").click()
        first.wait_for_function(
            "/Step [0-9]+ of/.test(document.querySelector('#compare-status').innerText)"
        )
    with drive.step("wait in the queue, and meet a full one"):
        second, third = drive.open("queue"), drive.open("full queue")
        shown(second)
        shown(third)
        second.locator("#generate").click()
        second.wait_for_timeout(1_500)
        drive.shoot(second, "waiting-in-the-queue")
        for number in range(limits.QUEUE_SIZE):
            _queue(app.url, number)
        third.locator("#generate").click()
        third.get_by_text(texts.BUSY_HINT).wait_for()
        drive.shoot(third, "queue-is-full")
    with drive.step("kill the server in the middle of a run"):
        app.process.kill()
        first.get_by_text(texts.LOST).wait_for()
        drive.shoot(first, "server-killed", is_whole=True)
    for page in (first, second, third):
        page.context.close()


def see_missing_weights(drive: Drive) -> None:
    """See the page of an app that has no model and no stored comparison.

    Args:
        drive: Before that app.
    """
    with drive.step("see what is said where weights are missing"):
        page = drive.open("no weights")
        page.locator("#banner code").wait_for()
        page.get_by_text(texts.NOTHING_TO_SHOW).wait_for()
        drive.shoot(page, "no-checkpoint")
        page.locator("#generate").click()
        page.wait_for_timeout(1_500)
        drive.shoot(page, "no-checkpoint-generate")
        page.context.close()


def _queue(url: str, seed: int) -> None:
    """Ask for a run, and do not wait for it."""
    body = json.dumps({"data": [PROMPT, seed, 1, limits.DEFAULT_GUIDANCE]}).encode()
    request = urllib.request.Request(  # noqa: S310 - our own loopback address
        f"{url}/gradio_api/call/compare", body, {"content-type": "application/json"}
    )
    try:
        urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
    except OSError:
        return  # the queue was full before
