"""`cm find`: by words, whatever the accents; always up to date; what is typed means nothing to the index."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from hypothesis import given
from hypothesis import strategies as st
from support_calendar import add, make_env
from support_cli import fresh, loaded, sql
from support_pictures import tiny

from cm.calendar.finding import find as find_posts
from cm.calendar.search_terms import WIDTH, excerpt, joined, places, query_of, sought, terms_of
from cm.calendar.undo import undo
from cm.checks.folding import fold

NOW = ("--now", "2026-11-20T12:00")
RunJson = Callable[..., Any]
HEAD = "ref,channel,date,time,kind,text\n"


@pytest.fixture
def find(example: Path, run_json: RunJson) -> Callable[..., list[str]]:
    """The refs of what is found, in order."""

    def call(*words: str) -> list[str]:
        return [hit["ref"] or hit["id"] for hit in run_json("find", *words, cwd=example)["hits"]]

    return call


@pytest.fixture
def put(example: Path, run_json: RunJson) -> Callable[..., dict[str, Any]]:
    """A post on facebook, a day each."""
    days = iter(range(1, 29))

    def call(ref: str, text: str, *options: str) -> dict[str, Any]:
        at = f"2027-01-{next(days):02d}T20:00"
        base = ("--channel", "facebook", "--kind", "thanks", "--ref", ref, "--text", text, "--at", at)
        made: dict[str, Any] = run_json(*NOW, "post", "add", *base, *options, cwd=example)
        return made

    return call


# --- what is found ----------------------------------------------------------------------------------------------------


SHAPES = """
etudiantes | ÉTUDIANTES | etudiant | étud | 𝐞𝐭𝐮𝐝𝐢𝐚𝐧𝐭𝐞𝐬 | coeur | Cœur | l'hopital | L’HÔPITAL | hopital,coeur,etud
au coeur | "au coeur" | « au cœur » | 👩‍⚕️ | 👩 | #sante | covid 19 | covid-19 | etud*,hopital | inclus·e·s | incluses
"""


@pytest.mark.parametrize("words", [tuple(one.strip().split(",")) for one in re.split(r"[|\n]", SHAPES.strip())])
def test_words_are_found_whatever_their_shape(
    find: Callable[..., list[str]], put: Callable[..., Any], words: tuple[str, ...]
) -> None:
    text = "Étudiantes au cœur de l’hôpital 👩‍⚕️ #Santé Covid\u201119, toustes inclus·e·s"
    put("zz-voulu", text)
    put("zz-autre", "Un tout autre sujet")
    assert "zz-voulu" in find(*words, "channel:facebook")
    assert "zz-autre" not in find(*words)


@pytest.mark.parametrize(
    "words", [("udiantes",), ("coeur au",), ("etud", "hopital"), ("'coeur hopital'",), ("👨",), ("cœurs",)]
)
def test_what_does_not_hold_all_the_words_is_not_found(
    find: Callable[..., list[str]], put: Callable[..., Any], words: tuple[str, ...]
) -> None:
    put("zz-voulu", "Étudiantes au cœur de l’hôpital 👩‍⚕️")
    assert "zz-voulu" not in find(*words)


def test_every_field_is_searched(
    example: Path, find: Callable[..., list[str]], put: Callable[..., Any], run_json: RunJson
) -> None:
    (example / "media").mkdir(exist_ok=True)
    (example / "media" / "a.png").write_bytes(tiny())
    fields = {
        "first_comment": ("--first-comment", "Zinzolin au commentaire"),
        "alt": ("--media", "a.png", "--alt", "Rideau zinzolin"),
        "link": ("--link", "https://zinzolin.example/a"),
        "theme": ("--theme", "Couleurs zinzolin"),
        "campaign": ("--campaign", "zinzolin"),
        "story": ("--story", "zinzolin"),
        "fields": ("--field", "place=Salle Zinzolin"),
    }
    put("zz-text", "Du zinzolin partout")
    put("zz-zinzolin", "Rien dans le texte")
    for field, options in fields.items():
        put(f"zz-{field}", "Rien dans le texte", *options)
    hits = run_json("find", "zinzolin", cwd=example)["hits"]
    assert {hit["ref"]: hit["field"] for hit in hits} == {
        "zz-text": "text", "zz-zinzolin": "ref", **{f"zz-{field}": field for field in fields}
    }  # fmt: skip
    assert [hit["ref"] for hit in hits[:2]] == ["zz-first_comment", "zz-text"], "what says it comes first"
    assert all(hit["text"][start:end].casefold() == "zinzolin" for hit in hits for start, end in hit["spans"])


def test_the_newest_comes_first_and_the_rest_is_counted(example: Path, run: Run, run_json: RunJson) -> None:
    found = run_json("find", "les", "--limit", "5", cwd=example)
    times = [hit["scheduled_at"] for hit in found["hits"]]
    assert times == sorted(times, reverse=True)
    assert len(times) == 5 < found["total"]
    done = run("find", "les", "--limit", "5", cwd=example)
    assert f"{found['total']} posts found. {found['total'] - 5} more are not shown" in done.err
    assert len(done.out.splitlines()) == 2 + 5
    lines = run("find", "les", "--limit", "5", "--jsonl", cwd=example).out.splitlines()
    assert len(lines) == 5


def test_spans_are_places_of_the_text_itself(put: Callable[..., Any], example: Path, run_json: RunJson) -> None:
    put("zz-e", "👩‍⚕️ Les e\u0301tudiantes et l’ŒUVRE des E\u0301TUDIANTES ❤️")
    (hit,) = run_json("find", "oeuvre", "etudiantes", cwd=example)["hits"]
    assert [hit["text"][start:end] for start, end in hit["spans"]] == ["étudiantes", "ŒUVRE", "ÉTUDIANTES"]
    assert hit.keys() >= {"id", "ref", "channel", "state", "scheduled_at", "excerpt", "spans"}
    assert hit["excerpt"] == hit["text"]
    (hit,) = run_json("find", "⚕", "oeuvre", cwd=example)["hits"]
    assert hit["text"][slice(*hit["spans"][0])] == "👩‍⚕️"


def test_hits_are_marked_without_colour(
    put: Callable[..., Any], example: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("zz-long", "Début de texte sans rien. " * 20 + "Voici l’hôtel-Dieu de\nBeaune, enfin. " + "Suite. " * 50)
    done = run("find", "hotel-dieu", "beaune", cwd=example)
    assert "«hôtel-Dieu» de «Beaune», enfin." in done.out
    assert "\x1b" not in done.out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[1m«hôtel-Dieu»\x1b[0m" in run("find", "hotel-dieu", cwd=example).out
    monkeypatch.delenv("FORCE_COLOR")
    aloud = run("--plain", "find", "hotel-dieu", cwd=example)
    assert "«hôtel-Dieu»" in aloud.out
    assert "─" not in aloud.out


def test_nothing_found_is_no_failure(example: Path, run: Run, run_json: RunJson) -> None:
    done = run("find", "zinzolin", cwd=example)
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("Nothing found. ")
    assert run_json("find", "zinzolin", cwd=example) == {"hits": [], "total": 0, "unindexed": 0}


# --- what is typed ----------------------------------------------------------------------------------------------------


HOSTILE = (
    '"', '" OR said : *', "NEAR(a b)", "a AND", "NOT", "said:", "-", "^a", "a\x00b", "a' --", '""""', "*", "\udcff",
    "%", "{said about} : a", "rowid:1", "a" * 10_000, "é" * 3000,
)  # fmt: skip


@pytest.mark.parametrize("words", [*((one,) for one in HOSTILE), ("NOT", "a"), ("\udcff", "a"), ("é" * 3000, "b")])
def test_hostile_words_are_words(example: Path, run: Run, words: tuple[str, ...]) -> None:
    done = run("find", "--", *words, cwd=example)
    assert done.code in (0, 2), done.err
    assert "bug" not in done.err


@given(st.lists(st.text(max_size=12), max_size=4))
def test_the_index_sees_terms_only(words: list[str]) -> None:
    wanted = sought(words)
    query = query_of(wanted)
    bare = query.replace(" AND ", "").replace(" *", "").replace('"', "").replace(" ", "")
    assert all(term == fold(term).text for one in wanted for term in one.terms)
    assert bare == "".join(term for one in wanted for term in one.terms)
    assert not any(sign.isascii() and not sign.isalnum() for sign in bare)
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE VIRTUAL TABLE t USING fts5(said, about, tokenize = 'ascii')")
        database.execute("INSERT INTO t VALUES (?, '')", (" ".join(" ".join(one.terms) for one in wanted),))
        if wanted:
            assert database.execute("SELECT count(*) FROM t WHERE t MATCH ?", (query,)).fetchall() == [(1,)]


@pytest.mark.parametrize("words", [(), ("!!",), ("state:missed",), ("«»",)])
def test_nothing_to_look_for_is_told(example: Path, run_err: Callable[..., Any], words: tuple[str, ...]) -> None:
    assert run_err(2, "find", *words, cwd=example)["hint"]


def test_filters_narrow_it_down(
    find: Callable[..., list[str]], put: Callable[..., Any], example: Path, run: Run
) -> None:
    put("zz-un", "Zinzolin un")
    put("zz-deux", "Zinzolin deux")
    run(*NOW, "post", "cancel", "zz-un", "--why", "non", cwd=example)
    assert find("state:cancelled", "zinzolin") == ["zz-un"]
    assert find("zinzolin", "état:programmé") == ["zz-deux"]
    assert find("zinzolin", "channel:twitter") == []
    assert run("find", "zinzolin", "state:nowhere", cwd=example).code == 2


# --- always up to date ------------------------------------------------------------------------------------------------


def test_what_is_found_follows_what_is_done(
    find: Callable[..., list[str]], put: Callable[..., Any], example: Path, run: Run, run_json: RunJson
) -> None:
    put("zz-a", "Zinzolin")
    assert find("zinzolin") == ["zz-a"]
    run_json(*NOW, "post", "edit", "zz-a", "--text", "Amarante", cwd=example)
    assert (find("zinzolin"), find("amarante")) == ([], ["zz-a"])
    moved = run_json(*NOW, "post", "move", "zz-a", "--at", "2027-02-02T20:00", cwd=example)
    assert run_json("find", "amarante", cwd=example)["hits"][0]["scheduled_at"] == moved["scheduled_at"]
    run_json(*NOW, "post", "cancel", "zz-a", "--why", "non", cwd=example)
    assert run_json("find", "amarante", cwd=example)["hits"][0]["state"] == "cancelled"
    rows = HEAD + "zz-b,facebook,2027-02-03,20:00,thanks,Céladon\nzz-a,facebook,2027-02-02,20:00,thanks,Garance\n"
    run_json(*NOW, "calendar", "import", "-", cwd=example, stdin=rows.encode())
    assert (find("celadon"), find("garance"), find("amarante")) == (["zz-b"], ["zz-a"], [])
    sql(example, "UPDATE post SET rev = rev + 1, text = 'Outremer' WHERE ref = 'zz-b'")
    assert (find("celadon"), find("outremer")) == ([], ["zz-b"])


def test_a_post_that_is_gone_leaves_no_text_behind(
    find: Callable[..., list[str]], put: Callable[..., Any], example: Path
) -> None:
    number = int(put("zz-a", "Zinzolin")["id"][1:])
    assert find("zinzolin") == ["zz-a"]
    sql(example, "DELETE FROM message WHERE post_id = ?", number)
    sql(example, "DELETE FROM post WHERE id = ?", number)
    assert find("zinzolin") == []
    assert sql(example, "SELECT count(*) FROM post_words WHERE rowid = ?", number) == [(0,)]
    put("zz-b", "Amarante")
    assert find("zinzolin") == []
    assert find("amarante") == ["zz-b"]


def bytes_of(root: Path) -> bytes:
    """All that the database's file holds, with what was in its log."""
    sql(root, "PRAGMA wal_checkpoint(TRUNCATE)")
    return (root / "cm.db").read_bytes()


def test_undoing_an_add_leaves_none_of_its_words_in_the_file(tmp_path: Path) -> None:
    env = make_env(tmp_path)
    add(env, "Bonjour")
    add(env, "Patient zwetschgenkuchen en oncologie")
    assert len(find_posts(env, ["zwetschgenkuchen"]).hits) == 1
    assert b"zwetschgenkuchen" in bytes_of(tmp_path)
    undo(env)
    assert b"zwetschgenkuchen" not in bytes_of(tmp_path)


def test_the_next_search_takes_former_words_out_of_the_index(
    find: Callable[..., list[str]], put: Callable[..., Any], example: Path, run_json: RunJson
) -> None:
    def of_index() -> bytes:
        return b"".join(block for (block,) in sql(example, "SELECT block FROM post_words_data"))

    put("zz-a", "Zwetschgenkuchen pour tous")
    assert find("zwetschgenkuchen") == ["zz-a"]
    assert b"zwetschgenkuchen" in of_index()
    run_json(*NOW, "post", "edit", "zz-a", "--text", "Amarante", cwd=example)
    assert find("amarante") == ["zz-a"]
    assert b"zwetschgenkuchen" not in of_index()


def test_what_was_undone_is_not_found(
    find: Callable[..., list[str]], put: Callable[..., Any], example: Path, run_json: RunJson
) -> None:
    put("zz-a", "Zinzolin")
    run_json(*NOW, "post", "edit", "zz-a", "--text", "Amarante", cwd=example)
    assert find("amarante") == ["zz-a"]
    run_json(*NOW, "undo", cwd=example)
    assert (find("amarante"), find("zinzolin")) == ([], ["zz-a"])
    run_json(*NOW, "undo", "--yes", cwd=example)
    assert find("zinzolin") == []


def test_while_another_program_writes_the_rest_is_searched(
    put: Callable[..., Any], example: Path, run: Run, run_json: RunJson
) -> None:
    put("zz-a", "Zinzolin un")
    run_json("find", "zinzolin", cwd=example)
    put("zz-b", "Zinzolin deux")
    with closing(sqlite3.connect(example / "cm.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = run("find", "zinzolin", "--json", cwd=example)
    assert done.code == 0
    assert ([hit["ref"] for hit in done.json["hits"]], done.json["unindexed"]) == (["zz-a"], 1)
    assert "1 post is not looked at" in done.err
    assert [hit["ref"] for hit in run_json("find", "zinzolin", cwd=example)["hits"]] == ["zz-b", "zz-a"]


def test_usage_loads_no_database(example: Path) -> None:
    for args in (("find", "--help"), ("find", "--limit", "0", "a")):
        assert not loaded(fresh(*args, cwd=example).modules, "sqlalchemy", "httpx", "openpyxl", "holidays")


def test_the_same_words_for_others_are_told_whatever_their_shape(
    put: Callable[..., Any], example: Path, run_json: RunJson
) -> None:
    put("zz-a", "« L’été\u00a0: des étudiant·e·s en blouse »")
    base = ("--channel", "twitter", "--kind", "thanks", "--at", "2027-01-20T20:00")
    made = run_json(*NOW, "post", "add", *base, "--text", '" L\'ETE : des étudiantes\n  en blouse "', cwd=example)
    assert [finding["rule"] for finding in made["findings"]] == ["text.twin"]
    assert "zz-a" in made["findings"][0]["reason"]
    made = run_json(*NOW, "post", "edit", made["id"], "--text", "L'ETE : des infirmières en blouse", cwd=example)
    assert made["findings"] == []


# --- excerpts ---------------------------------------------------------------------------------------------------------


def spans_of(text: str, *words: str) -> tuple[tuple[int, int], ...]:
    return joined(places(fold(text), sought(words)))


@given(st.text(st.sampled_from("aé ’«👩\u200d⚕\ufe0f\nœe\u0301"), max_size=300))
def test_excerpts_are_pieces_of_the_text(text: str) -> None:
    term = next(iter(terms_of(text)), "a")
    spans = spans_of(text, term)
    pieces = excerpt(text, spans)
    assert "".join("".join(piece for piece, _hit in pieces).strip("…").split()) in "".join(text.split())
    assert sum(len(piece) for piece, _hit in pieces) <= 1 + WIDTH + max((e - s for s, e in spans), default=0) + 1
    if spans:
        first = next(piece for piece, hit in pieces if hit)
        assert terms_of(first)[0].startswith(term)


def test_an_excerpt_shows_the_hit_and_cuts_no_emoji() -> None:
    long = "👩‍⚕️" * 200
    for text, word in [(f"{long} mot {long}", "mot"), (f"{'x' * 500} mot", "mot"), (f"mot{long}", "mot"), (long, "👩")]:
        spans = spans_of(text, word)
        pieces = excerpt(text, spans)
        assert next(piece for piece, hit in pieces if hit) == text[slice(*spans[0])]
        assert not any(piece.startswith("\u200d") or piece.endswith("\u200d") for piece, _hit in pieces)
        shown = "".join(piece for piece, _hit in pieces if piece != "…").replace("👩‍⚕️", "")
        assert not {"👩", "\u200d", "⚕", "\ufe0f"} & set(shown)


def test_places_of_a_search() -> None:
    assert spans_of("Un café, des Cafés", "cafe") == ((3, 7), (13, 18))
    assert spans_of("Un café, des Cafés", "cafe", "des") == ((3, 7), (9, 12))
    assert spans_of("au cœur, au coeur", "au cœur") == ((0, 7), (9, 17))
    assert spans_of("rien", "cafe") == ()
