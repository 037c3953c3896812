from olvdm.commands.pages import LONGEST_NAME, report_payload, write_report
from olvdm.evaluation.inspection import Inspection
from tests.app_server import stored_clip


def clip() -> Inspection:
    return Inspection(**stored_clip(num_frames=8, side=16))


def test_page_shows_every_clip_its_numbers_and_its_settings() -> None:
    payload = report_payload({"A": clip(), "B": clip()}, caption="a circle", settings={"seed": 3})
    assert [one.name for one in payload.clips] == ["A", "B"]
    assert all(len(row.values) == 2 for row in payload.metrics)
    assert payload.settings == {"seed": "3"}


def test_long_name_is_cut() -> None:
    assert len(report_payload({"a" * 999: clip()}).clips[0].name) == LONGEST_NAME


def test_undefined_number_is_left_open() -> None:
    frozen = clip()
    frozen.flicker_all[:] = float("nan")
    frozen.flicker_all[1] = 0.0
    numbers = {row.id: row.values for row in report_payload({"A": frozen}).metrics}
    assert numbers["flicker"] == (0.0,)


def test_text_cannot_leave_the_data(tmp_path) -> None:
    for number, caption in enumerate(("a circle", "</script><img src=x onerror=alert(1)>")):
        write_report(tmp_path / f"{number}.html", report_payload({"A": clip()}, caption=caption))
    pages = [(tmp_path / f"{number}.html").read_text(encoding="utf-8") for number in (0, 1)]
    assert pages[0].count("</script>") == pages[1].count("</script>")
    assert pages[0].count("<img") == pages[1].count("<img")
