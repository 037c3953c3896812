import itertools
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import av
import numpy as np
import pytest
from PIL import Image

from olvdm import limits
from tests.app_server import STORED_PROMPT
from tests.browser.conftest import (
    COMPARED,
    DESK,
    another_run,
    download,
    generate,
    open_page,
    set_steps,
    shown,
)
from visualize.screen import texts

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

HOSTILE = "${alert(1)}{{1}}<img src=x onerror=alert(1)>"
SEEDS = itertools.count(100)  # another one for every test that must draw anew


def query(page: "Page") -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


class TestOpening:
    @pytest.mark.parametrize("side", [0, 1])
    def test_both_players_show_a_clip_before_any_click(self, compared, side) -> None:
        pixels = compared.pixels(compared.plot("player", side))
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 1

    def test_stored_comparison_says_that_it_is_stored(self, compared) -> None:
        assert compared.find(".si-badge").inner_text() == f"{texts.BADGE_STORED}, seed 3"

    def test_page_opens_paused_where_the_clips_differ_most_and_says_so(self, compared) -> None:
        assert compared.data("frame") == "14"
        words = texts.OPENED.format(frame=14, name="OLVDM")
        assert compared.find(".si-reason").inner_text() == words
        assert compared.find(".si-play").get_attribute("aria-pressed") == "false"

    def test_many_prompts_stand_beside_the_one(self, compared) -> None:
        assert "180 of 256 prompts" in compared.find(".si-verdict").inner_text()

    def test_address_is_left_alone_until_something_is_done(self, page) -> None:
        assert urlsplit(page.url).query == ""

    def test_another_stored_comparison_can_be_chosen(self, page) -> None:
        page.locator("#stored").get_by_label("where OLVDM is worse").click()
        assert another_run(page, "1-behind") == "2-failure"

    def test_first_one_can_be_chosen_again_after_a_run(self, page) -> None:
        run = generate(page, STORED_PROMPT, seed=next(SEEDS))
        page.locator("#stored label").first.click()
        assert another_run(page, run) == "1-behind"


class TestGenerating:
    def test_shows_a_new_run_with_its_prompt(self, page, compared) -> None:
        compared.root.evaluate("root => { root.mark = 'the same node'; }")
        run = generate(page, "a blue square moves left", seed=next(SEEDS))
        assert len(run) == 16
        assert compared.find(".si-caption").inner_text() == "a blue square moves left"
        assert texts.BADGE_NEW in compared.find(".si-badge").inner_text()
        assert compared.root.evaluate("root => root.mark") == "the same node"

    def test_address_names_the_run_at_once(self, page) -> None:
        seed = next(SEEDS)
        run = generate(page, STORED_PROMPT, seed=seed)
        page.wait_for_function("run => location.search.includes(run)", arg=run)
        found = query(page)
        assert (found["run"], found["prompt"]) == (run, STORED_PROMPT)
        assert (found["seed"], found["steps"], found["guidance"]) == (str(seed), "3", "3.0")

    def test_same_settings_are_found_with_the_same_pixels(self, page, compared) -> None:
        run = generate(page, STORED_PROMPT, seed=next(SEEDS))
        compared.slide(".si-opacity", 0)  # masks are kept in one byte each, the clips exactly
        compared.slide(".si-frame", 5)
        before = [compared.pixels(compared.plot("player", side)) for side in (0, 1)]
        page.locator("#stored").get_by_label("where OLVDM is worse").click()
        another_run(page, run)
        page.locator("#generate").click()
        assert another_run(page, "2-failure") == run
        assert texts.BADGE_FOUND in compared.find(".si-badge").inner_text()
        assert texts.FOUND in page.locator("#compare-status").inner_text()
        compared.slide(".si-frame", 5)
        for side in (0, 1):
            after = compared.pixels(compared.plot("player", side))
            np.testing.assert_array_equal(after, before[side])

    def test_clips_are_seen_on_their_way_and_every_step_afterwards(self, page, compared) -> None:
        page.locator("#seed input").fill(str(next(SEEDS)))
        set_steps(page, 40)
        page.locator("#generate").click()
        page.wait_for_function(
            f"""() => {{
              const root = document.querySelector('{COMPARED} .si');
              return root.dataset.phase === 'running' && root.dataset.preview !== 'none';
            }}"""
        )
        another_run(page, "1-behind")
        compared.find(".si-denoising").wait_for()
        assert compared.find(".si-step").get_attribute("max") == "10"

    def test_cancelling_puts_the_previous_result_back(self, page, compared) -> None:
        set_steps(page, 100)
        page.locator("#generate").click()
        page.wait_for_function(
            "/Step [0-9]+ of 100/.test(document.querySelector('#compare-status').innerText)"
        )
        page.locator("#cancel").click()
        page.get_by_text(texts.CANCELLED, exact=True).wait_for()
        shown(page)
        assert texts.BADGE_STORED in compared.find(".si-badge").inner_text()
        assert page.locator("#generate").is_enabled()

    def test_dice_chooses_another_seed(self, page) -> None:
        page.locator("#dice").click()
        page.wait_for_function("document.querySelector('#seed input').value !== '3'")

    def test_blank_prompt_is_refused_in_words(self, page, compared) -> None:
        page.locator("#prompt textarea").fill("  ")
        page.locator("#generate").click()
        page.locator("#compare-status").get_by_text("Describe the clip").wait_for()
        page.wait_for_function("!document.querySelector('#generate').disabled")
        assert compared.data("phase") == "done"
        assert texts.BUSY_HINT not in page.locator("#compare-status").inner_text()

    def test_prompt_that_is_too_long_is_held_back_and_then_refused(self, page) -> None:
        field = page.locator("#prompt textarea")
        field.fill("")
        field.focus()
        page.keyboard.insert_text("x" * 2_000)
        assert len(field.input_value()) == limits.PROMPT_RAW_MAX
        page.locator("#generate").click()
        words = "prompt has 1200 characters; shorten it to at most 300."
        page.locator("#compare-status").get_by_text(words).wait_for()

    def test_prompt_that_is_too_long_to_be_sent_is_told_its_limit(self, browser, server) -> None:
        page, _ = open_page(browser, server.url, DESK)  # a refusal by the server is no fault here
        shown(page)
        page.locator("#prompt textarea").evaluate(
            """field => {
              field.value = 'x'.repeat(100000);
              field.dispatchEvent(new Event('input', { bubbles: true }));
            }"""
        )
        page.locator("#generate").click()
        words = texts.TOO_LONG.format(count="100,000", most=300)
        page.locator("#compare-status").get_by_text(words).wait_for()
        page.wait_for_function("!document.querySelector('#generate').disabled")
        page.context.close()

    @pytest.mark.parametrize("seed", ["-1", "1e30"])
    def test_seed_out_of_range_is_refused_with_the_range(self, page, seed) -> None:
        page.locator("#seed input").fill(seed)
        page.locator("#generate").click()
        words = "seed must be a whole number from 0 to 2,147,483,647, got"
        page.locator("#compare-status").get_by_text(words).wait_for()

    def test_empty_seed_is_called_missing(self, page) -> None:
        page.locator("#seed input").fill("")
        page.locator("#generate").click()
        words = "seed is missing; give a whole number from 0 to 2,147,483,647."
        page.locator("#compare-status").get_by_text(words).wait_for()

    def test_hostile_prompt_stays_text_everywhere(self, page, compared) -> None:
        generate(page, HOSTILE, seed=next(SEEDS))
        assert compared.find(".si-caption").inner_text() == HOSTILE
        page.get_by_role("tab", name=texts.TAB_RUNS).click()
        page.locator("#runs").get_by_label(HOSTILE).wait_for()
        assert page.locator("img[src=x]").count() == 0

    def test_keyboard_alone_leads_from_the_start_to_a_pair(self, page, compared) -> None:
        def tab_to(selector: str, most: int = 60) -> None:
            for _ in range(most):
                page.keyboard.press("Tab")
                if page.evaluate(f"document.activeElement.matches('{selector}')"):
                    return
            pytest.fail(f"the Tab key never comes to {selector}")

        page.evaluate("document.activeElement.blur()")
        tab_to("#prompt textarea")
        page.keyboard.press("ControlOrMeta+A")
        page.keyboard.type("a green circle moves down")
        tab_to("#seed input")
        page.keyboard.press("ControlOrMeta+A")
        page.keyboard.type(str(next(SEEDS)))
        tab_to("#generate")
        page.keyboard.press("Enter")
        another_run(page, "1-behind")
        tab_to(f"{COMPARED} .si")
        page.keyboard.press("End")
        assert compared.data("frame") == "15"


class TestLinks:
    @pytest.mark.parametrize("side", [0, 1])
    def test_leads_to_the_same_run_frame_and_cell(self, page, compared, browser, side) -> None:
        run = generate(page, STORED_PROMPT, seed=next(SEEDS))
        rows = 16 * 4
        compared.click(compared.plot("matrix", side), 7.5 / rows, 3.5 / rows)
        compared.slide(".si-frame", 6)
        page.wait_for_function("location.search.includes('t=6') && /cell=/.test(location.search)")
        other, faults = open_page(browser, page.url, DESK)
        opened = shown(other)
        other.wait_for_function(
            f"run => document.querySelector('{COMPARED} .si').dataset.run === run", arg=run
        )
        assert (opened.data("frame"), opened.data("cell")) == ("6", compared.data("cell"))
        assert opened.data("cell") == query(page)["cell"]
        words = opened.find(".si-pair-sentence").inner_text()
        assert words.startswith("AB"[side] + ":")
        assert words == compared.find(".si-pair-sentence").inner_text()
        other.context.close()
        assert faults == []

    def test_lost_run_fills_the_form(self, browser, server) -> None:
        settings = "prompt=a+blue+square+moves+left&seed=77&steps=5&guidance=2.5"
        page, faults = open_page(browser, f"{server.url}/?run={'f' * 16}&t=3&{settings}", DESK)
        page.get_by_text(texts.NO_SUCH_RUN).wait_for()
        assert page.locator("#prompt textarea").input_value() == "a blue square moves left"
        assert page.locator("#seed input").input_value() == "77"
        assert shown(page).data("run") == "1-behind"
        page.context.close()
        assert faults == []

    def test_hostile_link_is_no_link(self, browser, server) -> None:
        page, faults = open_page(
            browser, f"{server.url}/?run=../../etc&t=%3Cimg%20src%3Dx%3E&prompt={HOSTILE}", DESK
        )
        assert shown(page).data("run") == "1-behind"
        assert page.locator("img[src=x]").count() == 0
        page.context.close()
        assert faults == []


class TestDownloads:
    def test_film_plays(self, page, tmp_path) -> None:
        with av.open(download(page, "mp4-b", tmp_path)) as film:
            assert sum(1 for _ in film.decode(video=0)) == 16

    def test_arrays_are_whole(self, page, tmp_path) -> None:
        with np.load(download(page, "npz", tmp_path), allow_pickle=False) as arrays:
            fields = {"frames", "slots", "attention_masks", "correlation"}
            assert {f"olvdm_{field}" for field in fields} <= set(arrays.files)

    def test_figures_are_large_enough_to_print(self, page, tmp_path) -> None:
        with Image.open(download(page, "png", tmp_path)) as figures:
            assert min(figures.size) >= 600

    @pytest.mark.parametrize("kind", ["json", "run"])
    def test_numbers_are_json(self, page, tmp_path, kind) -> None:
        record = json.loads(download(page, kind, tmp_path).read_text())
        assert record["kind"] == {"json": "metrics", "run": "comparison"}[kind]

    def test_record_of_a_new_run_has_the_checksums(self, page, tmp_path) -> None:
        generate(page, STORED_PROMPT, seed=next(SEEDS))
        record = json.loads(download(page, "run", tmp_path).read_text())
        assert set(record["frames_sha256"]) == set(record["checkpoint_sha256"]) == {"lvdm", "olvdm"}

    def test_report_opens_from_the_disk(self, page, tmp_path, browser) -> None:
        report = download(page, "report", tmp_path)
        other = browser.new_context().new_page()
        other.goto(report.as_uri())
        opened = shown(other, "body")
        opened.slide(".si-frame", 2)
        assert opened.data("frame") == "2"
        assert opened.find(".si-badge").inner_text() == f"{texts.BADGE_STORED}, seed 3"
        other.context.close()


class TestRuns:
    def test_earlier_run_comes_back(self, page) -> None:
        run = generate(page, STORED_PROMPT, seed=next(SEEDS))
        page.locator("#stored").get_by_label("where OLVDM is worse").click()
        another_run(page, run)
        page.get_by_role("tab", name=texts.TAB_RUNS).click()
        page.locator("#runs").get_by_label(f"{STORED_PROMPT}, seed").first.click()
        page.locator(COMPARED).wait_for()
        assert another_run(page, "2-failure") == run

    def test_two_clips_of_two_runs_stand_side_by_side(self, page, compared) -> None:
        page.get_by_role("tab", name=texts.TAB_RUNS).click()
        for side, place in (("a", 0), ("b", 1)):
            page.locator(f"#pair-{side} input").click()
            page.get_by_role("option").nth(place).click()
        page.locator("#pair").click()
        page.locator(COMPARED).wait_for()
        another_run(page, "1-behind")
        assert texts.PAIR_BADGE in compared.find(".si-badge").inner_text()

    def test_code_has_the_settings_of_the_form(self, page) -> None:
        page.locator("#prompt textarea").fill("a blue square moves left")
        page.locator("#seed input").fill("77")
        page.locator("#seed input").press("Tab")
        page.get_by_role("tab", name=texts.TAB_RUNS).click()
        page.locator("#code-python").get_by_text("77").first.wait_for()
        assert "a blue square moves left" in page.locator("#code-python").inner_text()
