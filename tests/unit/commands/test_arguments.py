from dataclasses import fields
from pathlib import Path

import pytest

import olvdm
from olvdm.commands.arguments import SETTING, _meanings, build_parser, number, parse
from olvdm.errors import InputError
from olvdm.training.config import CONFIGS


def help_of(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ("generate",),
        ("inspect",),
        ("evaluate",),
        ("package",),
        ("data",),
        ("data", "show"),
        ("data", "export"),
        ("data", "scan"),
        ("train",),
        ("train", "autoencoder"),
        ("train", "slots"),
        ("train", "denoiser"),
        ("train", "judge"),
        ("doctor",),
    ],
)
def test_help_teaches_by_examples(words, capsys) -> None:
    examples = help_of(*words, capsys=capsys).partition("\nexamples:\n")[2]
    assert f"  olvdm {words[0]}" in examples


def test_example_of_two_lines_is_shown_on_two_lines(capsys) -> None:
    examples = help_of("evaluate", capsys=capsys).partition("\nexamples:\n")[2]
    assert "--output runs/olvdm-scores \\\n      --compare runs/lvdm-scores\n" in examples


def test_package_that_is_shown_first_chooses_by_slots(capsys) -> None:
    examples = help_of("package", capsys=capsys).partition("\nexamples:\n")[2]
    assert "--num-candidates 4" in examples.partition("--output")[0]


def test_suite_that_shows_the_form_is_where_the_help_says(capsys) -> None:
    words = help_of("experiment", capsys=capsys).split()
    shown = next(word.rstrip(".") for word in words if "smoke.toml" in word)
    assert (Path(olvdm.__file__).parents[1] / shown).is_file()


@pytest.mark.parametrize("stage", CONFIGS)
def test_every_setting_is_an_option(stage) -> None:
    options = [
        word
        for declared in fields(CONFIGS[stage])
        for word in (f"--{declared.name.replace('_', '-')}", "1")
    ]
    parsed = vars(parse(["train", stage, "--output", "x", *options]))
    assert {f"{SETTING}{one.name}" for one in fields(CONFIGS[stage])} <= parsed.keys()


@pytest.mark.parametrize("stage", CONFIGS)
def test_every_setting_is_explained(stage) -> None:
    assert {one.name for one in fields(CONFIGS[stage])} - _meanings(CONFIGS[stage]).keys() == set()


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("-1", -1), ("0.5", 0.5), ("1e3", 1000.0), ("seven", "seven")]
)
def test_number_is_read_or_left_for_the_check(text, value) -> None:
    assert number(text) == value


def test_endless_number_stays_a_number() -> None:
    assert number("9" * 5_000) == float("inf")


def test_words_after_the_prompt_ask_for_quotes() -> None:
    with pytest.raises(InputError, match="the prompt is one text, but 'red' follows it; put it in"):
        parse(["generate", "a", "red", "circle", "--output", "clip.mp4"])


@pytest.mark.parametrize("words", [["x" * 10**5], ["generate", "--dtype", "q" * 10**5]])
def test_endless_word_is_refused_in_short(words) -> None:
    with pytest.raises(InputError) as caught:
        parse(words)
    assert len(caught.value.user_message) < 400


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["generate", "a", "--output", "x.mp4", "--from", ""], "repeat"),
        (["generate", "a", "--output", "x.mp4", "--checkpoint", ""], "checkpoint"),
        (["generate", "a", "--output", "x.mp4", "--given", "a.png", ""], "given"),
        (["inspect", "", "--output", "x"], "video"),
        (["data", "scan", ""], "folder"),
        (["train", "slots", "--output", ""], "output"),
        (["train", "slots", "--output", "x", "--videos", ""], "videos"),
    ],
)
def test_empty_name_is_refused(words, name) -> None:
    with pytest.raises(InputError, match=f"^{name} is empty; name something, or leave it out$"):
        parse(words)


def test_prompt_may_be_empty_here() -> None:
    assert parse(["generate", "", "--negative-prompt", "", "--output", "x.mp4"]).prompt == ""
