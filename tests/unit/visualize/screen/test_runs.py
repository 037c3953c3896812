import ast
import json
import shlex

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from visualize.screen.blind import Trials
from visualize.screen.compare import MOST_REMEMBERED, remember
from visualize.screen.runs import snippets
from visualize.screen.shown import REVERSED

ADDRESS = "http://127.0.0.1:7860"
HOSTILE = [
    "'; touch /tmp/broken; '",
    '"; touch /tmp/broken; "',
    "$(touch /tmp/broken)",
    "`touch /tmp/broken`",
    "a\\",
    "a\\'",
    "a\nb",
    "'''",
    '"""',
    "${IFS}",
    "!!",
    "\u2028",
    "{}",
    "%s",
]
PROMPTS = st.one_of(st.text(max_size=60), st.sampled_from(HOSTILE))


def calls(code: str) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]


@given(PROMPTS)
@example(HOSTILE[0])
def test_python_has_the_prompt_as_one_argument(prompt) -> None:
    _, python, _ = snippets(ADDRESS, prompt, 3, 10, 3.0)
    submit = next(each for each in calls(python) if ast.unparse(each.func) == "client.submit")
    assert [ast.literal_eval(each) for each in submit.args] == [prompt, 3, 10, 3.0]


@given(PROMPTS)
@example(HOSTILE[0])
def test_python_calls_nothing_but_the_client(prompt) -> None:
    _, python, _ = snippets(ADDRESS, prompt, 3, 10, 3.0)
    called = {ast.unparse(each.func) for each in calls(python)}
    assert called == {"Client", "client.submit", "print"}


@given(PROMPTS)
@example(HOSTILE[0])
def test_shell_has_the_prompt_within_one_word(prompt) -> None:
    shell, _, _ = snippets(ADDRESS, prompt, 3, 10, 3.0)
    words = shlex.split(shell)
    assert json.loads(words[words.index("-d") + 1]) == {"data": [prompt, 3, 10, 3.0]}
    assert words[-2:] == ["-sN", f"{ADDRESS}/gradio_api/call/compare/$id"]


@pytest.mark.parametrize("wrong", [None, float("nan"), [], {"a": 1}, True])
def test_whatever_the_form_holds_makes_no_failure(wrong) -> None:
    shell, python, _ = snippets(ADDRESS, wrong, wrong, wrong, wrong)
    ast.parse(python)
    shlex.split(shell)


def test_mcp_client_is_told_the_address() -> None:
    _, _, mcp = snippets(ADDRESS, "a", 3, 10, 3.0)
    assert json.loads(mcp)["mcpServers"]["olvdm"]["url"] == f"{ADDRESS}/gradio_api/mcp/"


def test_newest_run_of_a_visit_stands_first() -> None:
    session = remember(
        "b", Trials(), "a blue square", 4, remember("a", Trials(), "a red circle", 3, [])
    )
    assert session == [("a blue square, seed 4", "b"), ("a red circle, seed 3", "a")]


def test_same_run_stands_there_once() -> None:
    session = remember(
        "a", Trials(), "a red circle", 3, remember("a", Trials(), "a red circle", 3, [])
    )
    assert session == [("a red circle, seed 3", "a")]


def test_visit_remembers_few() -> None:
    session: list[tuple[str, str]] = []
    for number in range(MOST_REMEMBERED + 5):
        session = remember(str(number), Trials(), "a", number, session)
    assert len(session) == MOST_REMEMBERED


@pytest.mark.parametrize("prompt", [None, 3, ["a"], {"a": 1}])
def test_prompt_that_is_no_text_is_no_failure(prompt) -> None:
    assert remember("a", Trials(), prompt, 3, [])[0][1] == "a"


def test_blind_run_is_remembered_without_its_order() -> None:
    trials = Trials(pending=f"a{REVERSED}")
    assert remember("", trials, "a red circle", 3, []) == [("a red circle, seed 3", "a")]
