"""Run the command line as ``python -m olvdm``, which is also how accelerate starts it."""

import sys

from olvdm.cli import main

if __name__ == "__main__":
    sys.exit(main())
