"""Two clocks in one small file: that of the world (the servers) and that of the machine on which cm runs.

Both run with real time. The world may skip ahead (nobody waits five real minutes for a pause to end); the
machine's clock is the world's plus an error, which jumps.
"""

import struct
import time
from pathlib import Path

_TWO = struct.Struct("<dd")
_real = time.time  # the launcher puts another one in its place


class Clock:
    """The file. Read at every question, so that a change is seen by all processes at once."""

    def __init__(self, file: Path) -> None:
        self.file = file
        if not file.exists():
            file.write_bytes(_TWO.pack(0.0, 0.0))

    def read(self) -> tuple[float, float]:
        """Seconds that the world has skipped, and by which the machine's clock is wrong."""
        skipped, error = _TWO.unpack(self.file.read_bytes())
        return skipped, error

    def _write(self, skipped: float, error: float) -> None:
        with self.file.open("r+b") as opened:
            opened.write(_TWO.pack(skipped, error))

    def world(self) -> float:
        """Epoch seconds of the world."""
        return _real() + self.read()[0]

    def machine(self) -> float:
        """Epoch seconds as cm sees them."""
        return _real() + sum(self.read())

    def skip(self, seconds: float) -> None:
        """Time passes for everybody."""
        skipped, error = self.read()
        self._write(skipped + seconds, error)

    def set_error(self, seconds: float) -> None:
        """The machine's clock jumps."""
        self._write(self.read()[0], seconds)
