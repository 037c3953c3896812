"""Blind trials: a pair without names is drawn and judged, at a desk and on a phone in the dark."""

from typing import Any

from benchmarks.drive.compare_tab import FEW_STEPS
from benchmarks.drive.drive import Drive
from tests.browser.conftest import COMPARED, set_blind, set_steps, shown, until_blind

PHONE_IN_THE_DARK: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}
SEED = 7_000  # of runs that nobody has drawn yet


def judge_blind_pairs(drive: Drive) -> None:
    """Judge a pair at a desk and another one on a phone in the dark.

    Args:
        drive: So far.
    """
    _judge(drive, "desk", SEED)
    _judge(drive, "phone in the dark", SEED + 1, **PHONE_IN_THE_DARK)


def _judge(drive: Drive, name: str, seed: int, **options: Any) -> None:  # noqa: ANN401
    """Draw a pair that nobody has seen, answer, and see what is revealed."""
    shot = f"blind-{name.replace(' ', '-')}"
    with drive.step(f"judge a blind pair: {name}"):
        page = drive.open(f"blind trial, {name}", **options)
        shown(page)
        if options:
            page.get_by_role("button", name="Switch between light and dark").click()
        set_blind(page, True)
        drive.shoot(page, f"{shot}-practice")
        set_steps(page, FEW_STEPS)
        page.locator("#seed input").fill(str(seed))
        page.locator("#generate").click()
        page.locator(f"{COMPARED} .si[data-phase=running]").wait_for()
        until_blind(page, True)
        drive.shoot(page, f"{shot}-question", is_whole=True)
        page.locator("#blind-b").click()
        until_blind(page, False)
        page.locator("#blind-said").get_by_text("You chose").wait_for()
        drive.shoot(page, f"{shot}-answer", is_whole=True)
        page.context.close()
