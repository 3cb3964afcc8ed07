"""The page "write an adapter in an hour": its package is installed, discovered, held to the contract, and publishes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "docs" / "adapter-example"
CHANNEL = """
  site:
    platform: site
    adapter: webfeed
    account: actualites
    address: https://hopital.example/actualites
    owner: me
    purpose: News for everybody
    opened_on: 2026-11-01
    audiences: [public]
    cadence: {min: 0, max: 5}
    settings: {file: feed.xml, site: "https://hopital.example/actualites"}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The environment of a Python that has the example installed beside cm."""
    source, site = tmp_path_factory.mktemp("source") / "package", tmp_path_factory.mktemp("site")
    shutil.copytree(EXAMPLE, source)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(site)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(source)], check=True)
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)]), "CM_LANG": "en"}


def cm(installed, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "cm", *map(str, arguments)], env=installed, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.row("S17")
def test_it_holds_the_contract(installed, tmp_path):
    """In about 20 lines of test."""
    test = shutil.copy(EXAMPLE / "test_cm_webfeed.py", tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(test)]
    done = subprocess.run(command, env=installed, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    lines = [line for line in Path(test).read_text().splitlines() if line.strip()]
    assert len(lines) <= 25, "the page says: a few lines"


@pytest.mark.row("S17")
def test_a_channel_publishes_through_it(installed, tmp_path):
    cm(installed, "init", tmp_path, "--empty")
    config = tmp_path / "config.yaml"
    filled = config.read_text().replace("channels: {}", f"channels:{CHANNEL}#")
    config.write_text(filled.replace("people: {}", "people: {me: {name: Jo Martin}} #"))
    at = ["-C", tmp_path]
    cm(installed, *at, "add", "--urgent", "Portes ouvertes samedi", "--yes")
    cm(installed, *at, "publish")
    assert (tmp_path / "feed.xml").read_text().count("Portes ouvertes samedi</") == 2, "title and content"
    cm(installed, *at, "publish")
    assert (tmp_path / "feed.xml").read_text().count("<ns0:entry") == 1
