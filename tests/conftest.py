"""What every test stands on: a closed environment, the mission rows, the shared data."""

import csv
import io
import json
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import support_canary

from cm import i18n

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {
    "HOME": "",
    "XDG_CACHE_HOME": ".cache",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
}
DROPPED = {"CLICOLOR_FORCE", "FORCE_COLOR", "LANG", "LANGUAGE", "LINES", "NO_COLOR"}
DROPPED |= {"ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "http_proxy", "https_proxy"}
KEPT = {"CM_EVAL_DATA"}


# --- the closed environment -------------------------------------------------------------------------------------------


def isolate(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Nothing of the person who runs the tests reaches them, nor do the tests reach that person's files."""
    for name in list(os.environ):
        if name in DROPPED or (name.startswith("CM_") and name not in KEPT):
            patch.delenv(name)
    for name, folder in FOLDERS.items():
        patch.setenv(name, str(home / folder))
    for name, value in {"TZ": "UTC", "LC_ALL": "C.UTF-8", "CM_LANG": "en", "COLUMNS": "120"}.items():
        patch.setenv(name, value)


@pytest.fixture(scope="session", autouse=True)
def _guard_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For fixtures that live longer than one test."""
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, tmp_path_factory.mktemp("home"))
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(autouse=True)
def _guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home of its own for every test: state files live there."""
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, tmp_path_factory.mktemp("home"))
        random.seed(20261122)  # back-off is spread by chance: the same chance in every run
        i18n.speak("en")
        yield


# --- the canary in every secret ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _no_secret_is_kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """At the end: no database and no log of any test's workspace holds one."""
    yield
    traces = list(support_canary.traces(tmp_path_factory.getbasetemp()))
    assert not traces, "secrets of tests stand in:\n" + "\n".join(traces)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """A test that printed or logged a secret, or whose error quotes one, has failed."""
    report = yield
    said = [text for _name, text in report.sections]
    if report.passed and any(map(support_canary.found_in, said)):
        report.outcome = "failed"
        report.longrepr = "a secret of the tests was printed or logged (tests/support_canary.py)"
    return report


# --- mission rows -----------------------------------------------------------------------------------------------------


@cache
def mission_rows() -> dict[str, str]:
    """Row id → criterion, in the mission's order."""
    with (ROOT / "tests" / "rows.csv").open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["criterion"] for row in csv.DictReader(file)}


def rows_of(item: pytest.Item) -> set[str]:
    return {str(row) for mark in item.iter_markers("row") for row in mark.args}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rows", action="store_true", help="list the mission rows and how many tests show each; run none")


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem() -> Generator[None, Any, Any]:
    """A marker with an unknown row is a collection error (here and not later, so that xdist tells it too)."""
    made = yield
    for item in made if isinstance(made, list) else []:
        if isinstance(item, pytest.Item) and (unknown := rows_of(item) - mission_rows().keys()):
            pytest.fail(f"{item.name}: no row {', '.join(sorted(unknown))} in tests/rows.csv", pytrace=False)
    return made


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    if not session.config.getoption("--rows"):
        return None
    counts = Counter(row for item in session.items for row in rows_of(item))
    criteria = mission_rows()
    lines = [f"{row:<5}{counts[row]:>4}  {criterion}" for row, criterion in criteria.items()]
    print("row  tests  criterion", *lines, f"{len(counts)} of {len(criteria)} rows have a test.", sep="\n")
    return True


# --- data that lies beside the clone, where it does -------------------------------------------------------------------


def beside(name: str) -> Path:
    """`$CM_EVAL_DATA/NAME` or `../shared/NAME`; the test is skipped where there is neither."""
    folders = [ROOT.parent / "shared" / name]
    if given := os.environ.get("CM_EVAL_DATA"):
        folders.insert(0, Path(given) / name)
    for folder in folders:
        if folder.is_dir():
            return folder
    pytest.skip(f"needs ../shared/{name} or $CM_EVAL_DATA/{name}")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    return beside("data")


@pytest.fixture(scope="session")
def shared_specs() -> Path:
    return beside("specs")


# --- fixtures of the project (add below) ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Completed:
    """What one command line gave back."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)


Run = Callable[..., Completed]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("post", "list", cwd=…)`: the command line in this process; `stdin` is what is piped into it."""

    def call(*args: str, cwd: Path | None = None, stdin: bytes = b"") -> Completed:
        from cm.__main__ import main

        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["cm", *args])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
            if cwd is not None:
                patch.chdir(cwd)
            code = main()
        done = Completed(code, *capsys.readouterr())
        support_canary.refuse((done.out, done.err), f"what `cm {' '.join(args)}` printed")
        return done

    return call


@pytest.fixture
def run_json(run: Run) -> Callable[..., Any]:
    """The JSON that a command prints when it succeeds, and nothing beside it."""

    def call(*args: str, cwd: Path | None = None, stdin: bytes = b"") -> Any:
        done = run(*args, "--json", cwd=cwd, stdin=stdin)
        assert (done.code, done.err) == (0, "")
        return done.json

    return call


@pytest.fixture
def run_err(run: Run) -> Callable[..., dict[str, Any]]:
    """The error (kind, message, hint…) of a command that ends with `code`; nothing on standard output."""

    def call(code: int, *args: str, cwd: Path | None = None, stdin: bytes = b"") -> dict[str, Any]:
        done = run(*args, "--json", cwd=cwd, stdin=stdin)
        assert (done.code, done.out) == (code, "")
        body: dict[str, Any] = json.loads(done.err)["error"]
        assert {"kind", "message", "hint"} <= body.keys()
        return body

    return call


@pytest.fixture(scope="session")
def _example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from cm.scaffold import create

    root = tmp_path_factory.mktemp("example") / "hospital"
    create(root, now="2026-11-20T12:00")
    return root


@pytest.fixture
def example(_example: Path, tmp_path: Path) -> Path:
    """A copy of the example as `cm init` makes it on Friday 2026-11-20: posts from Monday 2026-11-23 on."""
    return Path(shutil.copytree(_example, tmp_path / "hospital"))
