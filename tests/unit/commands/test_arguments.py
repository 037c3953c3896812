from dataclasses import fields

import pytest

from olvdm.commands.arguments import SETTING, _meanings, build_parser, number, parse
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
    ],
)
def test_help_teaches_by_examples(words, capsys) -> None:
    assert f"  olvdm {words[0]} " in help_of(*words, capsys=capsys)


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
