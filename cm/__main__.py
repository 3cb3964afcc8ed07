"""The one entry: `cm` and `python -m cm`. Answers `--version` and the idle cron minute before anything heavy loads."""

import sys
import time

from cm import __version__
from cm.store import tick


def _idle_publish(args: list[str]) -> bool:
    """True if `args` are `[-C DIR] publish [--quiet]` and nothing is due: then the run is over."""
    start = None
    if len(args) > 1 and args[0] == "-C":
        start, args = args[1], args[2:]
    if args not in (["publish"], ["publish", "--quiet"]):
        return False
    root = tick.find_workspace(start)
    if root is None or not tick.nothing_due(root, time.time()):
        return False
    tick.beat(root)
    return True


def main() -> int:
    """Run one command line. Gives the exit code."""
    args = sys.argv[1:]
    if args == ["--version"]:
        sys.stdout.write(f"cm {__version__}\n")
        return 0
    if _idle_publish(args):
        return 0
    from cm.cli.app import run  # loads typer: only now

    return run(args)


if __name__ == "__main__":
    sys.exit(main())
