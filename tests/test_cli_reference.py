"""The manual page and the reference are what the command line is."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from cm.cli.lazy import NOUNS

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cm_docs_reference", DOCS / "reference.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, spec.name, module)
        patch.setenv("CM_LANG", "en")
        spec.loader.exec_module(module)
    return module


def test_both_files_are_current() -> None:
    done = subprocess.run(
        [sys.executable, str(DOCS / "reference.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["cli.md", "cm.1"])
def test_every_noun_and_option_is_in_it(reference: ModuleType, name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8").replace("\\-", "-")
    for noun in NOUNS:
        assert f"cm {noun}" in text
    for entry in (verb for noun in reference.tree().verbs for verb in noun.verbs or (noun,)):
        for names, _meaning in entry.options:
            assert names in text.replace("\\|", "|"), entry.path


def test_every_command_and_option_is_explained(reference: ModuleType) -> None:
    for noun in reference.tree().verbs:
        for entry in (noun, *noun.verbs):
            assert entry.text, entry.path
            for names, meaning in (*entry.arguments, *entry.options):
                assert meaning, (entry.path, names)


def test_every_exit_code_is_named(reference: ModuleType) -> None:
    from cm import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.CmError)]
    assert {str(kind.exit_code) for kind in kinds} <= {code for code, _meaning in reference.EXIT_CODES}


def test_the_manual_page_renders_without_a_warning() -> None:
    if shutil.which("man") is None or shutil.which("groff") is None:
        pytest.skip("needs man and groff")
    done = subprocess.run(
        ["man", "--warnings=w", "-Tutf8", "-l", str(DOCS / "cm.1")],
        capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANROFFOPT": "-c"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "EXIT STATUS" in re.sub(".\b", "", done.stdout)  # what is printed twice on one place is bold


def test_text_that_roff_would_obey_stays_text(reference: ModuleType) -> None:
    assert reference._roff(".so /etc/passwd") == "\\&.so /etc/passwd"
    assert reference._roff("'\\n-x") == "\\&'\\en\\-x"
