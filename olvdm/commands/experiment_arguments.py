"""What can be typed after ``olvdm experiment``, and the help that teaches it."""

import argparse
from collections.abc import Callable

SUMMARY = "train variants from one base and compare them"
SUITES = ("ablation", "smoke")
EPILOG = """\
Every row of a suite is a branch of the same base: the same further steps, order of clips and noise,
and one difference. Each is then drawn from the same prompts and noise, and compared with the
reference, LVDM, prompt by prompt. All numbers go into results.json in the output folder, from which
olvdm report writes the page of results.

Stop it with Ctrl-C, or give it --max-minutes; the same command goes on where it was. What is not
computed yet stands in results.json under "missing", with the minutes that it would take. The most
important rows come first; a suite of your own is a TOML file of the form of
olvdm/experiment/suites/smoke.toml.

examples:
  olvdm experiment --suite smoke --output runs/try          some minutes, from the shipped weights
  olvdm experiment --suite ablation --base runs/base/final --autoencoder runs/ae/final \\
      --slots runs/slots/final --output runs/ablation --max-minutes 600
  olvdm experiment --suite ablation --base runs/base/final ... --rows corr shuffled --num-seeds 1
  olvdm experiment --suite ablation --base runs/base/final ... \\
      --slots runs/slots/final runs/slots-2/final runs/slots-3/final
  olvdm experiment --suite mine.toml --set batch_size=8 --levels simple --output runs/mine
"""

FOLDERS = {
    "--base": "denoiser and text encoder to begin from: a training, or a checkpoint",
    "--autoencoder": "holds the autoencoder (default: the base)",
    "--slots": "holds slot encoder and slot decoder (default: the base); further folders, of other "
    "seeds, are scored beside it and build nothing",
    "--latents": "where encoded clips are kept (default: latents in the output folder)",
    "--judges": "judges that bring networks of their own (default: judge beside the base, if any); "
    "clips that others judged are drawn again, and no training is repeated",
}
NUMBERS = {
    "--num-seeds": "most seeds of a row, those of the suite that come first",
    "--max-steps": "further steps of every branch (default: the suite's)",
    "--num-prompts": "test prompts of each level (default: the suite's, 256 in ablation)",
    "--base-steps": "steps of a base that a row needs for itself (default: those of the base)",
    "--max-minutes": "stop after so long, and say what is missing",
}


def add_options(parser: argparse.ArgumentParser, number: Callable[[str], object]) -> None:
    """Declare the options of the command.

    Args:
        parser: Of the command.
        number: Reads a number as all commands do.
    """
    parser.add_argument(
        "--suite",
        required=True,
        metavar="NAME",
        help=f"{' or '.join(SUITES)}, or a TOML file of your own",
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="folder of the experiment")
    for option, summary in FOLDERS.items():
        default = "checkpoints/lvdm" if option == "--base" else None
        told = f"{summary} (default: {default})" if default else summary
        several = "+" if option == "--slots" else None
        parser.add_argument(option, default=default, nargs=several, metavar="DIR", help=told)
    parser.add_argument(
        "--rows", nargs="+", metavar="NAME", help="rows to compute now, with what they need"
    )
    for option, summary in NUMBERS.items():
        parser.add_argument(option, type=number, metavar="N", help=summary)
    parser.add_argument(
        "--levels",
        nargs="+",
        default=["simple", "ood"],
        metavar="LEVEL",
        help="of the prompts: simple, full, ood (default: simple, and ood, which no training saw)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        dest="changes",
        help="change a setting of all trainings of denoisers alike, such as --set batch_size=16; "
        "autoencoder.FIELD=VALUE is for the rows that train a decoder; may be repeated",
    )
