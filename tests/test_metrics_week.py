"""The weekly report's mixes, objectives, days and ends, and the document that is made of it."""

import re
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from support_cli import change_config
from support_metrics import MONDAY, config, paris, seed_followers, seed_post, seed_snapshot, workspace

from cm.cli.figures import GAP, LEVELS, spark, spoken
from cm.cli.render_report import week_report as document
from cm.cli.sections import Document, Section, as_markdown, escaped
from cm.clock import Week
from cm.config import Objective
from cm.metrics.report import week_report
from cm.model.states import PostState

W48 = Week(2026, 48)
CUT_OFF = paris(MONDAY + timedelta(days=7), 8)
NOW = ("--now", "2026-11-20T12:00")


@pytest.fixture
def env(tmp_path):
    opened = workspace(tmp_path)
    yield opened
    opened.store.close()


def with_objectives(tmp_path, **labels):
    register = {key: Objective(label=label) for key, label in labels.items()}
    return workspace(tmp_path, config().model_copy(update={"objectives": register}))


# --- the ends ---------------------------------------------------------------------------------------------------------


@pytest.mark.row("S129")
def test_best_and_worst_posts_with_n_and_denominator(env):
    for number, (reach, reactions) in enumerate([(100, 9), (100, 1), (1000, 20), (100, 5), (50, 2), (None, 3), (0, 1)]):
        post = seed_post(env, MONDAY + timedelta(days=number), ref=f"ref-{number}")
        seed_snapshot(env, post, CUT_OFF, reactions=reactions, **({} if reach is None else {"reach": reach}))
    report = week_report(env, W48)
    ranking = report["ranking"]
    assert (ranking["denominator"], ranking["n"], ranking["unknown"], ranking["enough"]) == ("by_reach", 5, 2, True)
    assert [(post["ref"], post["rate"], post["engagements"], post["denominator"]) for post in ranking["top"]] == [
        ("ref-0", 0.09, 9, 100), ("ref-3", 0.05, 5, 100), ("ref-4", 0.04, 2, 50),
    ]  # fmt: skip
    assert [post["ref"] for post in ranking["bottom"]] == ["ref-1", "ref-2"]
    assert [post["ref"] for post in report["bottom_posts"]] == ["ref-1", "ref-2"]
    assert report["bottom_posts"][0].keys() == report["top_posts"][0].keys()
    assert {"top_posts", "bottom_posts", "ranking"} <= report["method"].keys()
    said = as_markdown(document(report))
    assert "Best and worst engagement rate by reach, of 5 posts" in said
    assert "2 posts have no such rate" in said


def test_four_posts_make_no_headline(env):
    for number in range(4):
        seed_snapshot(env, seed_post(env, MONDAY + timedelta(days=number)), CUT_OFF, reach=100, reactions=number)
    report = week_report(env, W48)
    assert (report["ranking"]["n"], report["ranking"]["top"], report["bottom_posts"]) == (4, [], [])
    assert "Too few posts" in as_markdown(document(report))


# --- mixes and objectives ---------------------------------------------------------------------------------------------


def test_mixes_are_shares_of_all_posts(env):
    seed_post(env, kind="quiz", theme="prevention", audiences=["public", "families"])
    seed_post(env, kind="quiz", audiences=["public"], state=PostState.SCHEDULED)
    seed_post(env, kind="event", theme="prevention", channel="twitter", audiences=["institutions"])
    seed_post(env, kind="event", state=PostState.CANCELLED)
    mixes = week_report(env, W48)["mixes"]
    assert [(one["key"], one["planned"], one["published"]) for one in mixes["kinds"]] == [
        ("quiz", 2, 1),
        ("event", 1, 1),
    ]
    assert mixes["kinds"][0]["share_planned"] == pytest.approx(2 / 3)
    assert mixes["kinds"][0]["share_published"] == 0.5
    assert [(one["key"], one["planned"]) for one in mixes["themes"]] == [("prevention", 2), (None, 1)]
    public = next(one for one in mixes["audiences"] if one["key"] == "public")
    assert (public["label"], public["share_published"]) == ("General public", 0.5)


@pytest.mark.row("S49")
def test_every_objective_of_the_register_is_listed_also_without_posts(tmp_path):
    env = with_objectives(tmp_path, inform="Informer sur la santé", recruit="Recruter")
    seed_post(env, objective="inform")
    seed_post(env, objective="inform", state=PostState.SCHEDULED)
    seed_post(env, objective="former")
    seed_post(env)
    seed_post(env, MONDAY - timedelta(days=1), objective="recruit")  # the week before
    report = week_report(env, W48)
    listed = [(one["objective"], one["planned"], one["published"], one["registered"]) for one in report["objectives"]]
    assert listed == [("inform", 2, 1, True), ("recruit", 0, 0, True), ("former", 1, 1, False), (None, 1, 1, False)]
    assert "Without any post: Recruter." in as_markdown(document(report))
    env.store.close()


@pytest.mark.row("S49")
def test_an_objective_cited_on_the_command_line_reaches_the_report(example, run, run_json, monkeypatch):
    monkeypatch.setenv("CM_ACTOR", "camille")
    register = {"inform": {"label": "Informer"}, "recruit": {"label": "Recruter"}}
    change_config(example, lambda data: data.update(objectives=register))
    given_ = ("--channel", "facebook", "--kind", "conversation", "--text", "Bonjour", "--objective", "inform")
    run_json(*NOW, "post", "add", *given_, "--at", "2026-12-12T09:00", cwd=example)
    found = run_json(*NOW, "report", "2026-W50", cwd=example)["objectives"]
    assert [(one["objective"], one["planned"]) for one in found][:2] == [("inform", 1), ("recruit", 0)]
    shown = run(*NOW, "report", "2026-W50", cwd=example).out
    assert "Without any post: Recruter." in shown


def test_no_register_no_section(env):
    seed_post(env)
    report = week_report(env, W48)
    assert report["objectives"] == []
    assert "Objectives" not in [section.title for section in document(report).sections]


# --- the days ---------------------------------------------------------------------------------------------------------


def test_series_day_by_day(env):
    measured = seed_post(env, MONDAY)
    seed_snapshot(env, measured, CUT_OFF, reactions=4)
    seed_post(env, MONDAY, hour=11)
    seed_post(env, MONDAY + timedelta(days=1))
    seed_post(env, MONDAY + timedelta(days=2), state=PostState.MISSED)
    for hour, followers in ((8, 100), (22, 104)):
        seed_followers(env, paris(MONDAY, hour), followers)
    seed_followers(env, paris(MONDAY + timedelta(days=6), 23), 110)
    seed_followers(env, paris(MONDAY + timedelta(days=7), 0), 999)
    facebook, twitter = week_report(env, W48)["series"]
    assert facebook["dates"][0] == "2026-11-23"
    assert facebook["published"] == [2, 1, 0, 0, 0, 0, 0]
    assert facebook["engagements"] == [4, None, 0, 0, 0, 0, 0]
    assert facebook["followers"] == [104, None, None, None, None, None, 110]
    assert twitter["followers"] == [None] * 7


def test_one_question_for_all_followers(env):
    for name in ("facebook", "twitter"):
        seed_followers(env, paris(MONDAY, 8), 100, channel=name)
    assert [series["followers"][0] for series in week_report(env, W48)["series"]] == [100, 100]


def test_the_number_of_questions_does_not_grow_with_the_posts(env):
    few = questions(env)
    for number in range(40):
        seed_snapshot(env, seed_post(env, MONDAY + timedelta(days=number % 7)), CUT_OFF, reactions=number)
    assert questions(env) == few


def questions(env):
    """How many statements the report takes."""
    asked = []

    def note(*_args):
        asked.append(1)

    with env.store.read() as session:
        engine = session.connection().engine
    sa.event.listen(engine, "before_cursor_execute", note)
    week_report(env, W48)
    sa.event.remove(engine, "before_cursor_execute", note)
    return len(asked)


def test_sparklines():
    assert spark([0, 1, 2, 4, 8], from_zero=True) == "▁▂▃▅█"
    assert spark([1000, 1030, None, 1015], from_zero=False) == "▁█·▅"
    assert spark([3, 3], from_zero=False) == "▄▄"
    assert spark([0, 0, None], from_zero=True) == "▁▁·"
    assert spark([], from_zero=True) == ""


@given(st.lists(st.none() | st.integers(0, 10**9), max_size=20), st.booleans())
def test_every_value_has_its_block(values, from_zero):
    line = spark(values, from_zero=from_zero)
    assert len(line) == len(values)
    assert [sign == GAP for sign in line] == [value is None for value in values]
    pairs = sorted((value, sign) for value, sign in zip(values, line, strict=True) if value is not None)
    levels = [LEVELS.index(sign) for _value, sign in pairs]
    assert levels == sorted(levels)


def test_days_in_words():
    days = [MONDAY + timedelta(days=number) for number in range(3)]
    assert spoken([3, None, 1200], days) == "Mon 3, Tue unknown, Wed 1,200"


# --- the document -----------------------------------------------------------------------------------------------------

EVIL = "a|b\n| c | \\| `x` <script>alert(1)</script> [l](javascript:x) **g** _i_ ~~s~~ # t\x1b[31m \u202e &amp; $x$"


def cells(line):
    return re.split(r"(?<!\\)\|", line)


def test_hostile_text_breaks_no_table():
    table = Section(EVIL, ("one", "two"), [(EVIL, None), (1, EVIL)], [EVIL])
    said = as_markdown(Document(EVIL, [EVIL], [table], [EVIL]))
    lines = [line for line in said.splitlines() if line.startswith("|")]
    assert [len(cells(line)) for line in lines] == [4, 4, 4, 4]
    for sign in ("<", ">", "\x1b", "\u202e"):
        assert sign not in said
    for markup in (r"(?<!\\)`", r"(?<!\\)\[", r"(?<!\\)\*", r"(?<!\\)_", r"(?<!\\)~", r"(?<!\\)\$"):
        assert not re.search(markup, said)


@given(st.text(max_size=60))
def test_escaped_text_is_one_line_without_a_live_pipe(text):
    line = escaped(text)
    assert len(line.splitlines()) <= 1
    assert not {"|", "<", ">"} & set(line)


def test_markdown_on_standard_output(example, run, run_err, monkeypatch):
    monkeypatch.setenv("CM_ACTOR", "camille")
    done = run("--now", "2026-11-30T08:05", "report", "2026-W48", "--markdown", cwd=example)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("# Hôpital d'enfants des Tilleuls · week 2026-W48 · SIMULATION\n\nfrom Mon 23/11 00:00")
    assert "\n| channel | planned |" in done.out
    widths: dict[str, set[int]] = {}
    for block in done.out.split("\n\n"):
        if block.startswith("|"):
            widths[block] = {len(cells(line)) for line in block.splitlines()}
    assert widths
    assert all(len(found) == 1 for found in widths.values())
    assert run_err(2, "report", "--markdown", cwd=example)["kind"] == "usage"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_report_fits_80_columns(example, run, monkeypatch, language):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("CM_LANG", language)
    done = run("--now", "2026-11-30T08:05", "report", "2026-W48", cwd=example)
    assert max(map(len, done.out.splitlines())) <= 80


def test_plain_says_the_days_in_words(example, run):
    done = run("--plain", "--now", "2026-11-30T08:05", "report", "2026-W48", cwd=example)
    assert not set(LEVELS) & set(done.out)
    assert re.search(r"Mon \d+, Tue \d+", done.out)


def test_figures_are_written_as_the_language_writes_them(env):
    seed_snapshot(env, seed_post(env), CUT_OFF, reach=12_345, reactions=100)
    said = as_markdown(document(week_report(env, W48)))
    assert "12,345" in said
    assert "0.81%" in said
    assert f"Mon {date(2026, 11, 23):%d/%m}" in said
