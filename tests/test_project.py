"""The project's own shape: what is shipped, what CI runs, what may not be committed."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Put together here, so that this file does not hold what it forbids.
FORBIDDEN = (
    "pypi" + ".org",
    "python" + "hosted",
    "npmjs" + ".org",
    "find" + "-links",
    "index" + "-url",
    "/opt" + "/wheels",
    "/opt" + "/pypi",
    "/work" + "/main",
    "/work" + "/shared",
    "/work" + "/.library",
)


def test_wheel_holds_the_example(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("cm_toolkit-*.whl")
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for name, source in {
            "cm/example/config.yaml": "config.yaml",
            "cm/example/schedules/example.csv": "schedules/example.csv",
        }.items():
            assert archive.read(name) == (ROOT / source).read_bytes()
    assert {"cm/__main__.py", "cm/locale/fr/LC_MESSAGES/cm.mo", "cm/metrics/maps/meta_posts.yaml"} <= names
    package = wheel.name.removesuffix("-py3-none-any.whl")
    assert f"{package}.data/data/share/man/man1/cm.1" in names
    assert {name.split("/")[0] for name in names} == {"cm", f"{package}.dist-info", f"{package}.data"}


def test_constraints_are_names_and_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="ascii").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)] == []
    names = [re.sub(r"[._-]+", "-", line.split("==")[0]).lower() for line in lines]
    assert names == sorted(set(names))


def test_ci_runs_check_and_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="ascii").splitlines() == [
        "#!/usr/bin/env bash",
        "set -eu",
        'cd "$(dirname "$0")/.."',
        "make check test",
    ]


def test_no_file_names_this_machine_or_a_registry() -> None:
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git repository")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert files
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in files
        if path.is_file()
        for word in FORBIDDEN
        if word.encode() in path.read_bytes()
    ]
    assert found == []


def test_httpx2_is_absent() -> None:
    """Once installed it silently takes httpx's place in authlib, and respx no longer intercepts."""
    assert importlib.util.find_spec("httpx2") is None
