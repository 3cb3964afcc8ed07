"""Where processes of cm come from: some are started as cron does, most are forked from one that has it all loaded."""

import json
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults.workspace import ROOT, Bench


@dataclass
class Process:
    """One run of cm."""

    run: int
    out: Path
    pid: int = 0
    status: int | None = None
    born: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def said(self) -> str:
        """Everything that it printed."""
        text = self.out.read_text(encoding="utf-8", errors="replace")
        self.out.unlink()
        return text


class Nursery:
    """Starts processes, and knows when they end."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.folder = bench.folder / "said"
        self.folder.mkdir()
        self.lock = threading.Lock()
        self.runs: dict[int, Process] = {}
        self.forker = subprocess.Popen(
            [*bench.launcher(), "--fork"],
            env=bench.environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _new(self) -> Process:
        with self.lock:
            number = len(self.runs)
            self.runs[number] = Process(number, self.folder / str(number))
            return self.runs[number]

    def fork(self, *arguments: str, stop: str = "-", room: int = 0) -> Process:
        """A forked process, which stops itself at that stage; its files grow no larger than `room` (0: any size)."""
        made = self._new()
        order = {"run": made.run, "arguments": self.bench.arguments(*arguments)}
        order |= {"stop": stop, "room": room, "out": str(made.out)}
        assert self.forker.stdin
        with self.lock:
            self.forker.stdin.write(json.dumps(order) + "\n")
            self.forker.stdin.flush()
        made.born.wait(120)
        return made

    def start(self, *arguments: str, stop: str = "-") -> Process:
        """A process with an interpreter of its own."""
        made = self._new()
        with made.out.open("w") as out:
            process = subprocess.Popen(
                [*self.bench.launcher(stop), *self.bench.arguments(*arguments)],
                env=self.bench.environment,
                cwd=ROOT,
                stdout=out,
                stderr=out,
            )
        made.pid = process.pid
        threading.Thread(target=self._await, args=(made, process), daemon=True).start()
        return made

    def _await(self, made: Process, process: subprocess.Popen[Any]) -> None:
        made.status = process.wait()
        made.ended.set()

    def _listen(self) -> None:
        assert self.forker.stdout
        for line in self.forker.stdout:
            told = json.loads(line)
            made = self.runs[told["run"]]
            made.pid = told.get("pid", made.pid)
            made.born.set()
            if "status" in told:
                made.status = told["status"]
                made.ended.set()

    def close(self) -> None:
        """No more of them; those that run may end."""
        assert self.forker.stdin
        self.forker.stdin.close()
        self.forker.wait(120)
