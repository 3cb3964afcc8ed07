"""Run `cm` for real and let it be killed or frozen when it logs a given stage.

usage: python stopper.py STAGE SIGNAL cm-arguments…
The stages are those that `cm.publishing` logs as a message passes; nothing in the product knows of this.
"""

import logging
import signal
import sys
import threading

from cm.__main__ import main

STAGE, SIGNAL = sys.argv[1], signal.Signals[sys.argv[2]]


class Stopper(logging.Handler):
    """Sends this process the signal at the stage, once."""

    done = False

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == STAGE and not Stopper.done:
            Stopper.done = True
            signal.pthread_kill(threading.get_ident(), SIGNAL)  # this thread stops here, not a moment later


logging.getLogger("cm.publishing").addHandler(Stopper())
sys.argv = ["cm", *sys.argv[3:]]
sys.exit(main())
