"""The one entry: `cm` and `python -m cm`.

Answers `--version`, the idle cron minute, and `doctor --if-stale` where all is well, before anything heavy loads.
"""

import gc
import sys
import time

from cm import __version__
from cm.store import tick

INTERRUPTED = 130


def _idle_publish(args: list[str]) -> bool:
    """True if `args` are `[-C DIR]... publish [--quiet]` and nothing is due anywhere: then the run is over."""
    starts, rest = _folders(args)
    if rest not in (["publish"], ["publish", "--quiet"]):
        return False
    idle = [_idle(start) for start in starts]  # each beats, whatever the others have to do
    return all(idle)


def _folders(args: list[str]) -> tuple[list[str | None], list[str]]:
    """The folders named by `-C` (None if there is none: it is looked for), and what stands behind them."""
    starts: list[str | None] = []
    while len(args) > 1 and args[0] == "-C":
        starts.append(args[1])
        args = args[2:]
    return starts or [None], args


def _all_lively(args: list[str]) -> bool:
    """True if `args` are `[-C DIR]... doctor --if-stale [MINUTES]` and a run was everywhere lately."""
    starts, rest = _folders(args)
    minutes = rest[2] if rest[:2] == ["doctor", "--if-stale"] and len(rest) == 3 else str(tick.SILENT_AFTER // 60)
    if rest not in (["doctor", "--if-stale"], ["doctor", "--if-stale", minutes]) or not minutes.isdecimal():
        return False
    limit, now = int(minutes) * 60, time.time()
    for start in starts:
        root = tick.find_workspace(start)
        silent = tick.silent_for(root, now) if root else None
        if root is None or silent is None or silent > limit or tick.ahead(root, now) > tick.CLOCK_SLACK:
            return False
    return limit > 0


def _idle(start: str | None) -> bool:
    root = tick.find_workspace(start)
    if root is None or not tick.nothing_due(root, time.time()):
        return False
    try:
        tick.beat(root)
    except OSError:
        return False  # the full path meets the same trouble and can explain it
    return True


def _run(args: list[str]) -> int:
    if args == ["--version"]:
        sys.stdout.write(f"cm {__version__}\n")
        return 0
    if _idle_publish(args) or _all_lively(args):
        return 0
    from cm import i18n

    i18n.speak(i18n.asked())  # before modules take their texts for --help
    from cm.cli.app import run  # loads typer: only now

    return run(args)


def main() -> int:
    """Run one command line. Gives the exit code."""
    try:
        return _run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules load; later `run` sees it
        return INTERRUPTED


def entry() -> int:
    """`main` in a process of its own: what modules allocate while they load is not searched for garbage in vain.

    That search is a tenth of a command's start; `cm.cli.options.workspace` switches the collector on again.
    """
    gc.disable()
    return main()


if __name__ == "__main__":
    sys.exit(entry())
