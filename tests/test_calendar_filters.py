"""One filter grammar: what each token means, in English and French, and what is refused, with the word meant."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from support_calendar import NOW, SETTINGS, add, at, make_env, set_state

from cm import i18n
from cm.calendar import posts
from cm.calendar.filter_grammar import Filter, Span, Term, parse
from cm.calendar.filter_words import FLAGS, KEYS, STATES, is_filter, is_target, state_named
from cm.calendar.filters import chosen
from cm.calendar.sql import POST
from cm.cli.post_plan import told_apart
from cm.config import Config
from cm.env import Env
from cm.errors import CmError, NotFound, UsageError
from cm.model.states import PostState
from cm.model.words import kind_word, state_word

CONFIG = Config.model_validate({**SETTINGS, "objectives": {"inform": {"label": "Inform"}}})
Run = Callable[..., Any]


def read(*tokens: str) -> Filter:
    return parse(tokens, CONFIG, NOW, CONFIG.zone)


def term(token: str) -> Term:
    (found,) = read(token).terms
    return found


@pytest.fixture
def env(tmp_path: Path) -> Env:
    """Friday 2026-11-20, 11:00. p1 to p6, each different from the others."""
    env = make_env(tmp_path, objectives={"inform": {"label": "Inform"}})
    add(env, "La Fête de l’été", ref="fete", story="accueil", theme="Prévention", wall="2026-11-23T09:00")
    add(env, "Quiz", kind="quiz", campaign="Noël 2026", language="en", wall="2026-11-24T09:00", objective="inform")
    add(env, "Presse", channel="twitter", audiences=("institutions",), wall="2026-11-24T18:00")
    add(env, "Idée", draft=True, first_comment="Voilà l'été")
    missed = add(env, "Trop tard", wall="2026-11-20T14:00", theme="Sport, santé")
    set_state(env, missed, PostState.MISSED, wake_at=None, urgent=True, example=True)
    late = add(env, "Bientôt", wall="2026-11-20T12:00", story="visite")
    set_state(env, late, PostState.SCHEDULED, scheduled_at=NOW - timedelta(minutes=5), over_reason="exprès")
    return env


def found(env: Env, *tokens: str) -> list[int]:
    with env.store.read() as session:
        return sorted(session.execute(chosen(env, tokens)).scalars())


def test_crisis_and_held(env: Env) -> None:
    quiz, late, again = (posts.show(env, f"p{number}") for number in (2, 5, 6))
    set_state(env, quiz, PostState.SCHEDULED, crisis=True)
    set_state(env, late, PostState.MISSED, held_by=1)
    set_state(env, again, PostState.SCHEDULED, held_by=1)  # planned anew since
    for token, ids in (("is:crisis", [2]), ("est:crise", [2]), ("is:held", [5]), ("est:retenu", [5])):
        assert found(env, token) == ids
    assert found(env, "not-is:held") == [1, 2, 3, 4, 6]


@pytest.mark.parametrize(
    ("tokens", "ids"),
    [
        ((), [1, 2, 3, 4, 5, 6]),
        (("state:missed",), [5]),
        (("state:missed,draft",), [4, 5]),
        (("état:manqué",), [5]),
        (("Etat:MANQUÉS,brouillons",), [4, 5]),
        (("not-state:scheduled",), [4, 5]),
        (("sauf-état:programmée",), [4, 5]),
        (("-state:scheduled",), [4, 5]),
        (("channel:twitter",), [3]),
        (("canal:x",), [3]),
        (("channel:fb", "state:scheduled"), [1, 2, 6]),
        (("week:2026-W48",), [1, 2, 3]),
        (("week:next",), [1, 2, 3]),
        (("semaine:prochaine",), [1, 2, 3]),
        (("week:this",), [5, 6]),
        (("week:this,next", "not-week:next"), [5, 6]),
        (("not-week:next",), [4, 5, 6]),
        (("day:2026-11-24",), [2, 3]),
        (("jour:lundi",), [1]),
        (("before:2026-11-24",), [1, 5, 6]),
        (("to:2026-11-24",), [1, 2, 3, 5, 6]),
        (("jusqu’au:24/11",), [1, 2, 3, 5, 6]),
        (("after:23/11",), [2, 3]),
        (("from:23/11", "to:23/11"), [1]),
        (("before:2026-11-24T18:00", "after:2026-11-23T09:00"), [2]),
        (("from:2026-11-24 09:00", "to:24/11 18h"), [2, 3]),
        (("kind:quiz",), [2]),
        (("genre:quiz,announcement",), [1, 2, 3, 4, 5, 6]),
        (("theme:prevention",), [1]),
        (("thème:Prévention",), [1]),
        (('theme:"sport, santé"',), [5]),
        (('theme:"sport, santé",prévention',), [1, 5]),
        (("not-theme:prévention",), [2, 3, 4, 5, 6]),
        (("campagne:noel 2026",), [2]),
        (("objectif:inform",), [2]),
        (("audience:institutions",), [3]),
        (("audience:public,institutions",), [1, 2, 3, 4, 5, 6]),
        (("story:accueil,visite",), [1, 6]),
        (("ref:fete",), [1]),
        (("id:p2,3",), [2, 3]),
        (("p2", "fete"), [1, 2]),
        (("p2", "fete", "kind:quiz"), [2]),
        (("not-id:p1",), [2, 3, 4, 5, 6]),
        (("language:EN",), [2]),
        (("author:camille",), [1, 2, 3, 4, 5, 6]),
        (("auteur:Camille Roux",), [1, 2, 3, 4, 5, 6]),
        (("author:nobody",), []),
        (("text:ete",), [1, 4]),
        (("texte:l'été",), [1, 4]),
        (("text:fete de l'ete",), [1]),
        (("not-text:été",), [2, 3, 5, 6]),
        (("text:te",), []),
        (("text:ard",), []),
        (("text:ientot",), []),
        (("text:d tard",), []),
        (("text:tar",), [5]),
        (("text:'ete",), [1, 4]),
        (("is:overdue",), [6]),
        (("est:en-retard",), [6]),
        (("is:urgent,over",), [5, 6]),
        (("is:example",), [5]),
        (("is:over", "is:overdue"), [6]),
    ],
)
def test_what_a_filter_means(env: Env, tokens: Sequence[str], ids: list[int]) -> None:
    assert found(env, *tokens) == ids


@pytest.mark.parametrize(
    ("token", "error", "words"),
    [
        ("stat:missed", UsageError, "Did you mean state?"),
        ("état-civil:x", UsageError, "Filters are: state, channel"),
        ("ref-a:b", UsageError, "ref:ref-a:b"),
        ("state:mised", UsageError, "Did you mean missed?"),
        ("état:anulé", UsageError, "Did you mean cancelled?"),
        ("state:", UsageError, "says no value"),
        ("state:missed,,draft", UsageError, "says no value"),
        ("text:\u200b", UsageError, "says no value"),
        ("text:", UsageError, "says no value"),
        ("kind:quizz", UsageError, "Did you mean quiz?"),
        ("audience:pubic", UsageError, "Did you mean public?"),
        ("objective:informer", UsageError, "Did you mean inform?"),
        ("is:late", UsageError, "overdue, example, urgent, over"),
        ("channel:facebok", NotFound, "facebook"),
        ("week:2026-W60", UsageError, "week"),
        ("week:soon", UsageError, "week"),
        ("day:31/11", UsageError, "31/11"),
        ("day:demain 9h", UsageError, "time"),
        ("after:31/11", UsageError, "31/11"),
        ("before:some day", UsageError, "some day"),
    ],
)
def test_what_is_not_understood_is_refused(token: str, error: type[CmError], words: str) -> None:
    with pytest.raises(error) as refused:
        read("state:draft", token)
    assert words in f"{refused.value.message} {refused.value.hint}"


def test_names_that_no_post_has_are_told(env: Env) -> None:
    for token in ("p99", "nope", "id:99", "ref:nope", "id:p1,p99"):
        with pytest.raises(NotFound):
            found(env, token)


def test_a_ref_with_a_colon_has_a_key(env: Env) -> None:
    add(env, ref="note:1")
    assert found(env, "ref:note:1") == [7]


def test_days_and_times_are_spans() -> None:
    day = date(2026, 11, 24)
    assert term("week:2026-W48").values == (Span(date(2026, 11, 23), date(2026, 11, 29)),)
    assert term("day:24/11").values == (Span(day, day),)
    assert term("before:24/11").values == (Span(None, date(2026, 11, 23)),)
    assert term("after:24/11").values == (Span(date(2026, 11, 25), None),)
    nine = at("2026-11-24T08:00+00:00")
    assert term("before:24/11 9h").values == (Span(None, nine),)
    assert term("after:24/11 9h").values == (Span(nine + timedelta(minutes=1), None),)


@pytest.mark.parametrize("state", list(PostState))
def test_every_state_has_its_french_names_in_every_form(state: PostState) -> None:
    assert state_named(state.value) is state
    assert state_named(state.value.upper()) is state
    for name in STATES[state]:
        assert {state_named(name), state_named(name + "s")} == {state}
    assert state_named("manquées") is PostState.MISSED
    assert state_named("manquant") is None


@pytest.mark.parametrize("language", ["en", "fr"])
def test_words_that_are_shown_are_read(language: str) -> None:
    i18n.speak(language)
    try:
        for state in PostState:
            assert {state_named(state_word(state, n)) for n in (1, 2)} == {state}
        for kind in CONFIG.required_fields:
            assert term(f"kind:{kind_word(kind)}") == term(f"kind:{kind}")
        for key, label in CONFIG.all_audiences.items():
            assert term(f'audience:"{i18n._(label)}"') == term(f"public:{key}")
        assert term("objectif:Inform") == term("objective:inform")
    finally:
        i18n.speak("en")


def test_no_word_means_two_things() -> None:
    for known in (KEYS, STATES, FLAGS):
        spellings = [word for key, others in known.items() for word in (str(key), *others)]
        assert len(spellings) == len(set(spellings))


@given(st.lists(st.text(min_size=1, max_size=12), max_size=4), st.sampled_from(sorted(KEYS)), st.text(max_size=12))
def test_anything_is_read_or_refused(words: list[str], key: str, value: str) -> None:
    for tokens in (words, [f"{key}:{value}"], [f"not-{key}:{value}"]):
        try:
            wanted = read(*tokens)
        except CmError:
            continue
        assert len(wanted.terms) + len(wanted.names) == len(tokens)
        assert read(*tokens) == wanted


# --- telling posts from times -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "targets", "time"),
    [
        (["p12", "demain", "9h"], ["p12"], "demain 9h"),
        (["p12", "demain 9h"], ["p12"], "demain 9h"),
        (["fete", "9:30"], ["fete"], "9:30"),
        (["p1", "p2", "p3", "18h"], ["p1", "p2", "p3"], "18h"),
        (["state:missed", "canal:fb", "mardi", "9h"], ["state:missed", "canal:fb"], "mardi 9h"),
        (["demain", "demain", "9h"], ["demain"], "demain 9h"),
    ],
)
def test_the_time_follows_the_posts(words: list[str], targets: list[str], time: str) -> None:
    assert told_apart(words, None, False) == (targets, time)


def test_with_an_option_every_word_is_a_post() -> None:
    assert told_apart(["p1", "demain"], "9h", False) == (["p1", "demain"], "9h")
    assert told_apart(["p1", "demain"], None, True) == (["p1", "demain"], None)


@pytest.mark.parametrize(
    ("words", "at_", "next_"), [(["p1"], None, False), (["p1"], "9h", True), (["p1", "p2"], None, False)]
)
def test_a_move_needs_one_time(words: list[str], at_: str | None, next_: bool) -> None:
    with pytest.raises(UsageError):
        told_apart(words, at_, next_)


def test_forms() -> None:
    assert [is_filter(word) for word in ("state:x", "état:x", "9:30", "fete", "https://x.example")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert [is_target(word) for word in ("p12", "state:x", "demain", "9h")] == [True, True, False, False]


# --- the list -------------------------------------------------------------------------------------------------------


def test_the_list_takes_filters_beside_its_options(example: Path, run_json: Run, run: Run) -> None:
    now = ("--now", "2026-11-20T12:00")
    by_option = run_json("post", "list", "--channel", "facebook", "--week", "2026-W48", cwd=example)
    assert by_option["posts"]
    assert run_json("post", "list", "channel:fb", "week:2026-W48", cwd=example) == by_option
    assert run_json(*now, "post", "list", "channel:fb", "--week", "next week", cwd=example) == by_option
    assert run_json("post", "list", "--state", "brouillon", cwd=example) == {"posts": []}
    lines = run("post", "list", "channel:fb", "week:2026-W48", "--jsonl", cwd=example)
    assert lines.out.count("\n") == len(by_option["posts"])
    named = run_json("post", "list", "fb-d00-a", "p2", cwd=example)["posts"]
    assert [post["id"] for post in named] == ["p1", "p2"]


def test_many_ids_are_one_parameter(tmp_path: Path) -> None:
    env = make_env(tmp_path)
    add(env, "encore")
    with env.store.write() as session:
        columns = [column.name for column in POST.c if column.name not in ("id", "ref")]
        for _ in range(16):  # 65,536 posts: more than a statement may have parameters
            copies = sa.select(*(POST.c[name] for name in columns))
            session.execute(sa.insert(POST).from_select(columns, copies))
    assert len(found(env, "text:encore")) == 2**16


def test_the_use_case_lists_what_the_tokens_mean(env: Env) -> None:
    assert [view.id for view in posts.list_posts(env, ["state:scheduled"], channel="facebook")] == ["p6", "p1", "p2"]
