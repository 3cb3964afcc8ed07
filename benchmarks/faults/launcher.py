"""Run `cm` for real, under the machine's clock of the campaign; let it be killed or frozen at a stage.

usage: python -m benchmarks.faults.launcher CLOCK STOP cm-arguments… | --serve | --fork

STOP is STAGE:NTH:SIGNAL or `-`. The stages are those that `cm.publishing` logs as a message passes; nothing in the
product knows of this. Two modes save the start of an interpreter, a second of two processors' time:

--serve  reads command lines from standard input, one JSON list a line, and answers each with one JSON line
         `[exit code, stdout, stderr]`: a person at a terminal.
--fork   starts a process of its own for every line `{"run", "arguments", "stop", "room", "out"}`: it prints
         `{"run", "pid"}` at once and `{"run", "status"}` when that has ended. `out` is the file for what it prints,
         `room` the largest file that it may write.
"""

import contextlib
import io
import json
import logging
import os
import resource
import select
import signal
import sys
import threading
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.faults.clock import Clock
from cm import clock as product
from cm.__main__ import main


class Stopper(logging.Handler):
    """Sends this process the signal when the stage is passed for the n-th time."""

    def __init__(self, stage: str, nth: int, name: str) -> None:
        super().__init__()
        self.stage, self.left, self.signal = stage, nth, signal.Signals[name]

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == self.stage:
            self.left -= 1
            if self.left == 0:
                signal.pthread_kill(threading.get_ident(), self.signal)  # this thread stops here, not a moment later


def shift(clock: Clock) -> None:
    """The process reads the machine's clock of the campaign wherever it asks for the time of day."""
    real = time.time

    def now() -> float:
        return real() + sum(clock.read())

    product.SystemClock.now = lambda _self: datetime.fromtimestamp(now(), UTC)  # type: ignore[method-assign]
    time.time = now


def serve() -> None:
    """Command after command."""
    for line in sys.stdin:
        out, err = io.StringIO(), io.StringIO()
        sys.argv = ["cm", *json.loads(line)]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main()
            except SystemExit as error:
                code = int(error.code or 0)
        print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)


def nurse() -> None:
    """A process for every line, forked from this one, which has loaded everything and opened nothing."""
    import cm.channels.mastodon.adapter
    import cm.cli.app
    import cm.cli.publish
    import cm.publishing.engine  # noqa: F401

    alive: dict[int, int] = {}
    lines = Lines()
    while alive or not lines.ended:
        for line in lines.read(0.02):
            order = json.loads(line)
            pid = os.fork()
            if pid == 0:
                child(order)
            alive[pid] = order["run"]
            print(json.dumps({"run": order["run"], "pid": pid}), flush=True)
        while alive and (ended := os.waitpid(-1, os.WNOHANG))[0]:
            status = os.waitstatus_to_exitcode(ended[1])
            print(json.dumps({"run": alive.pop(ended[0]), "status": status}), flush=True)


class Lines:
    """Standard input, as far as it has come."""

    def __init__(self) -> None:
        self.rest, self.ended = b"", False

    def read(self, seconds: float) -> list[bytes]:
        """The lines of the next moment."""
        if self.ended or not select.select([0], [], [], seconds)[0]:
            if self.ended:
                time.sleep(seconds)
            return []
        data = os.read(0, 65536)
        self.ended = not data
        *found, self.rest = (self.rest + data).split(b"\n")
        return found


def child(order: dict[str, Any]) -> NoReturn:
    """The forked process: one command, then the end."""
    out = os.open(order["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    if order["room"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["room"], order["room"]))
    stop_at(order["stop"])
    sys.argv = ["cm", *order["arguments"]]
    code = 1
    try:
        code = main()
    except SystemExit as error:
        code = int(error.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def stop_at(stop: str) -> None:
    """Arm the stopper."""
    if stop != "-":
        stage, nth, name = stop.split(":")
        logging.getLogger("cm.publishing").addHandler(Stopper(stage, int(nth), name))


def run() -> int:
    """As the usage says."""
    file, stop, *arguments = sys.argv[1:]
    shift(Clock(Path(file)))
    if arguments == ["--serve"]:
        serve()
        return 0
    if arguments == ["--fork"]:
        nurse()
        return 0
    stop_at(stop)
    sys.argv = ["cm", *arguments]
    return main()


if __name__ == "__main__":
    sys.exit(run())
