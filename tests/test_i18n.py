"""French and English: the catalogue is complete, current, and says the same things."""

import ast
import io
import re
import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[1]
FRENCH = ROOT / "cm" / "locale" / "fr" / "LC_MESSAGES"
KEYWORDS = {"_": None, "N_": None, "plural": (1, 2), "pgettext": ((1, "c"), 2)}


def said_in_the_code():
    """Every message of the product: (context, id or (one, many)) → the places where it is said, as file:line."""
    found = {}
    for file, line, message, _comments, context in extract_from_dir(
        ROOT / "cm", keywords=KEYWORDS, method_map=[("**.py", "python")]
    ):
        found.setdefault((context, message), []).append(f"cm/{file}:{line}")
    return found


def one(message):
    """The id of a message, which is its singular if it has a plural."""
    return message if isinstance(message, str) else message[0]


def lacks(entry, message):
    """True if the catalogue's entry does not translate the message as a whole."""
    if entry is None or entry.fuzzy or not entry.string:
        return True
    strings = (entry.string,) if isinstance(entry.string, str) else entry.string
    return not all(strings) or (isinstance(message, tuple) and entry.id != message)


@pytest.fixture(scope="module")
def catalogue():
    with (FRENCH / "cm.po").open("rb") as file:
        return read_po(file)


def test_nothing_lacks_a_translation(catalogue):
    lacking = [
        f"{places[0]}: {message!r}"
        for (context, message), places in said_in_the_code().items()
        if lacks(catalogue.get(one(message), context), message)
    ]
    assert not lacking, "run `make messages` and translate:\n" + "\n".join(lacking)


NOT_FOR_PEOPLE = {
    "calendar/draftbox.py": "what cannot happen",
    "calendar/headings.py": "headings that are understood",
    "calendar/shapes.py": "headings that are understood",
    "calendar/sql.py": "what cannot happen",
    "calendar/time_words.py": "words that are understood",
    "channels/contract.py": "what a test of an adapter says",
    "channels/discourse/errors.py": "words by which a platform is understood",
    "channels/gif.py": "what its caller turns into words",
    "channels/sandbox/platform.py": "what a test says wrongly",
    "channels/x/domains.py": "top-level domains",
    "channels/x/errors.py": "words by which a platform is understood",
    "channels/youtube/errors.py": "words by which a platform is understood",
    "cli/shells.py": "scripts of shells",
    "cli/words.py": "what typer says in English",
    "clock.py": "what cannot happen",
    "config/models.py": "examples",
    "metrics/assemble.py": "definitions in the JSON",
    "store/migrations": "what Alembic is told",
}
SENTENCE = re.compile(r"[A-Za-z]{3,},? [a-z]{2,},? [a-z]{2,}")
COMMAND = re.compile(r"cm [a-z]+|(SELECT|INSERT|UPDATE|DELETE|PRAGMA|CREATE|ATTACH|VACUUM) ")


def unmarked(tree):
    """Literals that look like a sentence and are neither documentation nor passed to be translated or logged."""
    harmless = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            harmless.add(id(node.value))
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in KEYWORDS or name in ("text", "debug", "info", "warning", "error", "exception"):
                harmless.update(id(inner) for inner in ast.walk(node) if isinstance(inner, ast.Constant))
            # the page of a figure is called as it is
            harmless.update(id(keyword.value) for keyword in node.keywords if keyword.arg == "source")
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in harmless else None
        if isinstance(text, str) and SENTENCE.search(text) and not COMMAND.match(text.lstrip()):
            yield node.lineno, text


def test_no_sentence_is_left_unmarked():
    found = []
    for path in sorted((ROOT / "cm").rglob("*.py")):
        name = path.relative_to(ROOT / "cm").as_posix()
        if not name.startswith(tuple(NOT_FOR_PEOPLE)):
            found += [f"cm/{name}:{line}: {text!r}" for line, text in unmarked(ast.parse(path.read_text("utf-8")))]
    assert not found, "wrap in _():\n" + "\n".join(found)


SHOWN = {"Column", "number", "say", "noun", "command", "labelled", "progress", "UsageError", "Refused", "NotFound"}


def bare(tree):
    """Headings, helps and sentences of the command line that are given as they are."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            shown = [*node.args[:1]] if name in SHOWN else []
            shown += [keyword.value for keyword in node.keywords if keyword.arg in ("help", "hint")]
            if name in ("table", "Section"):
                shown += [inner for tuple_ in node.args if isinstance(tuple_, ast.Tuple) for inner in tuple_.elts]
            for text in shown:
                if isinstance(text, ast.Constant) and re.search(r"[A-Za-z]{2}", str(text.value)):
                    yield text.lineno, text.value


def test_headings_and_helps_are_marked():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for path in sorted((ROOT / "cm" / "cli").glob("*.py"))
        for line, text in bare(ast.parse(path.read_text("utf-8")))
    ]
    assert not found, "wrap in _():\n" + "\n".join(found)


def spoken(tree):
    """The literals that a module passes to be translated, f-strings included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
            first = node.args[1 if node.func.id == "pgettext" else 0] if node.args else None
            if isinstance(first, ast.Constant):
                yield first.lineno, first.value


def test_nothing_is_said_where_babel_does_not_look():
    """It reads no f-strings, and calls with names in the place of literals are lost on it."""
    extracted = {one(message) for _context, message in said_in_the_code()}
    unseen = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for path in sorted((ROOT / "cm").rglob("*.py"))
        for line, text in spoken(ast.parse(path.read_text(encoding="utf-8")))
        if text not in extracted
    ]
    assert not unseen


def test_nothing_is_translated_that_nobody_says(catalogue):
    said = {(context, one(message)) for context, message in said_in_the_code()}
    written = {(entry.context, one(entry.id)) for entry in catalogue if entry.id}
    assert not written - said


def places_in(text):
    """The names that `.format` fills in, with their formats."""
    return sorted((name, spec) for _text, name, spec, _conversion in string.Formatter().parse(text) if name is not None)


def test_translations_have_the_places_of_their_messages(catalogue):
    wrong = []
    for entry in catalogue:
        if not entry.id:
            continue
        ids, strings = ([entry.id], [entry.string]) if isinstance(entry.id, str) else (entry.id, entry.string)
        for original, french in zip(ids, strings, strict=True):
            names = {name for name, _spec in places_in(original)}
            if {name for name, _spec in places_in(french)} != names:
                wrong.append(f"{original!r} → {french!r}")
    assert not wrong, "\n".join(wrong)


def test_translations_begin_and_end_like_their_messages(catalogue):
    """Line ends, leading blanks and the commands between backquotes are part of what is printed."""
    wrong = []
    for entry in catalogue:
        if not entry.id or not isinstance(entry.id, str):
            continue
        original, french = entry.id, entry.string
        same_edges = re.match(r"\s*", original)[0] == re.match(r"\s*", french)[0] and (
            re.search(r"\s*$", original)[0] == re.search(r"\s*$", french)[0]
        )
        commands = re.findall(r"`(cm [^`]*)`", original)
        if not same_edges or sorted(re.findall(r"`(cm [^`]*)`", french)) != sorted(commands):
            wrong.append(f"{original!r} → {french!r}")
    assert not wrong, "\n".join(wrong)


def texts(catalogue):
    return {(entry.context, one(entry.id)): entry.string for entry in catalogue if entry.id}


def test_the_compiled_catalogue_is_current(catalogue):
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    with (FRENCH / "cm.mo").open("rb") as file:
        kept = read_mo(file)
    fresh = read_mo(compiled)
    assert texts(kept) == texts(fresh), "run `make messages`"
