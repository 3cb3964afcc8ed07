"""`.cm/log/cm.jsonl`: one JSON object a line, rotated, readable by its owner alone, without secrets.

Redaction happens at the handler, on message and traceback: whatever a library logs passes through it.
"""

import json
import logging
import os
import re
from logging.handlers import RotatingFileHandler
from pathlib import Path

MAX_BYTES = 1_000_000
KEPT = 3
FIELDS = ("post", "part", "remote_id", "attempt", "channel")

_SECRETS = re.compile(
    r"(?i)((?:authorization|(?:access_|refresh_)?token|client_secret|api_?key|secret|password)[\"'\\=:\s]+"
    r"(?:(?:bearer|basic)\s+)?|\b(?:bearer|basic)\s+)[^\s\"'\\,;&}]+"
)
_LOGINS = re.compile(r"(://)[^/@\s]+@")


def redact(line: str) -> str:
    """The line without what follows `Bearer`, `token=`, `password:`… and without logins in addresses."""
    return _LOGINS.sub(r"\1[redacted]@", _SECRETS.sub(r"\1[redacted]", line))


class _JsonLines(logging.Formatter):
    def __init__(self, run_id: str) -> None:
        super().__init__()
        self._run_id = run_id

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "run": self._run_id,
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": redact(record.getMessage()),
        }
        entry.update({name: getattr(record, name) for name in FIELDS if hasattr(record, name)})
        if record.exc_info:
            entry["traceback"] = redact(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


class _Rotating(RotatingFileHandler):
    """Rotates by the file's size as it is: the library's own question formats each record twice."""

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        if self.stream is None:
            self.stream = self._open()
        return self.stream.tell() >= self.maxBytes


def start_log(root: Path, run_id: str) -> None:
    """Let this process's log go to the workspace's file; an earlier one of this process is closed."""
    folder = root / ".cm" / "log"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "cm.jsonl"
    os.close(os.open(path, os.O_CREAT | os.O_APPEND, 0o600))
    logger = logging.getLogger("cm")
    stop_log()
    handler = _Rotating(path, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8", delay=True)
    handler.setFormatter(_JsonLines(run_id))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def stop_log() -> None:
    """Close the workspace's log file."""
    logger = logging.getLogger("cm")
    for handler in [h for h in logger.handlers if isinstance(h, RotatingFileHandler)]:
        logger.removeHandler(handler)
        handler.close()
