"""``olvdm evaluate``: a checkpoint -> its scores on clips and prompts that it never saw."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from olvdm.commands.arguments import CHECKPOINT
from olvdm.commands.record import check_usual_place
from olvdm.evaluation.prompt_rows import write_text
from olvdm.evaluation.report import MARKDOWN_NAME, evaluate_checkpoint
from olvdm.evaluation.report_comparison import compare_reports

SETTINGS = (
    "level",
    "num_clips",
    "num_prompts",
    "seed",
    "num_inference_steps",
    "guidance_scale",
    "slot_guidance_scale",
    "num_candidates",
    "num_training_clips",
    "parts",
)
COMPARISON_NAME = "comparison.md"
COMPARISON_ROWS_NAME = "comparison.json"  # the verdict card of the app reads it


def evaluate(arguments: argparse.Namespace) -> None:
    """Score a checkpoint, and compare it with one that was scored before.

    Args:
        arguments: What ``olvdm evaluate`` was given.
    """
    given: dict[str, Any] = {
        name: getattr(arguments, name) for name in SETTINGS if getattr(arguments, name) is not None
    }
    output = Path(arguments.output)
    checkpoint, is_seen = Path(arguments.checkpoint), sys.stderr.isatty()
    check_usual_place(checkpoint, CHECKPOINT)
    judges = None if arguments.judges is None else Path(arguments.judges)
    compared = None if arguments.compare is None else Path(arguments.compare)
    if compared is not None:
        compare_reports(compared, compared)  # what cannot be compared with is refused before hours
    evaluate_checkpoint(checkpoint, judges=judges, output=output, progress=is_seen, **given)
    print((output / MARKDOWN_NAME).read_text(encoding="utf-8"))
    if compared is not None:
        comparison = compare_reports(compared, output)
        text = comparison.as_markdown()
        write_text(output / COMPARISON_NAME, text)
        rows = json.dumps(comparison.as_json(), indent=1, allow_nan=False)
        write_text(output / COMPARISON_ROWS_NAME, rows + "\n")
        print(text)
