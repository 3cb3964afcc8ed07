"""Run `cm` for real and let it wait at a stage until it is told to go on.

usage: python lingerer.py STAGE FOLDER cm-arguments…
At the stage it makes FOLDER/reached and waits until FOLDER/go is there; once.
"""

import logging
import sys
import time
from pathlib import Path

from cm.__main__ import main

STAGE, FOLDER = sys.argv[1], Path(sys.argv[2])
LONGEST = 120


class Lingerer(logging.Handler):
    """Keeps the worker that logs the stage waiting."""

    done = False

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() != STAGE or Lingerer.done:
            return
        Lingerer.done = True
        (FOLDER / "reached").touch()
        end = time.monotonic() + LONGEST
        while not (FOLDER / "go").exists() and time.monotonic() < end:
            time.sleep(0.05)


logging.getLogger("cm.publishing").addHandler(Lingerer())
sys.argv = ["cm", *sys.argv[3:]]
sys.exit(main())
