"""Figures from files: what is read, what stays unknown, what is ours, and that nothing comes in twice."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select
from support_cli import fresh, loaded
from support_files import (
    INSTAGRAM_COLUMNS,
    LINKEDIN_COLUMNS,
    META_COLUMNS,
    META_FR_COLUMNS,
    UCI_COLUMNS,
    X_COLUMNS,
    X_OLD_COLUMNS,
    YOUTUBE_COLUMNS,
    YOUTUBE_FR_COLUMNS,
    as_csv,
    as_xlsx,
    meta,
    table,
    uci,
)
from support_metrics import MONDAY, PARIS, config, entry, paris, seed_followers, seed_post, seed_snapshot, workspace

from cm.actions import first_break
from cm.clock import Week
from cm.errors import ConfigError, NotFound, Refused, UsageError
from cm.metrics.filecells import count, instant
from cm.metrics.filemap import detect, shipped
from cm.metrics.filematch import address
from cm.metrics.importing import import_figures
from cm.metrics.report import week_report
from cm.metrics.stored import show
from cm.model.tables import Action, Outside, Snapshot

FIVE = table(
    UCI_COLUMNS,
    uci("Photo", "1000", "50"),
    uci("Photo", "2000", "20", like=""),
    uci("Link", "500", "5", share="", Paid=""),
    uci("Photo", "100", "4"),
    uci("Video", "", "7"),
    uci("Photo", "400", "0"),
)


@pytest.fixture
def env(tmp_path):
    opened = workspace(tmp_path)
    yield opened
    opened.store.close()


def bring(env, rows, **options):
    """Import rows as a CSV file."""
    return import_figures(env, as_csv(rows), filename="figures.csv", **options)


def stored(env, kind):
    with env.store.read() as session:
        return list(session.exec(select(kind).order_by(kind.id)))


def percent(ratio):
    return f"{100 * ratio:.4f}"


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.row("S129")
def test_known_answers_on_the_real_page(env, shared_data):
    data = (shared_data / "facebook_metrics_uci.csv").read_bytes()
    result = import_figures(env, data, filename="facebook_metrics_uci.csv")
    found = result.summary
    sums = {name: entry["sum"] for name, entry in found["totals"].items()}
    assert (sums["engagements"], sums["reach"], sums["impressions"]) == (106_060, 6_951_680, 14_792_974)
    assert (sums["comments"], sums["reactions"], sums["shares"]) == (3_741, 88_795, 13_524)
    by_reach = found["engagement_rate"]["by_reach"]
    assert [percent(by_reach[key]) for key in ("pooled", "mean", "median")] == ["1.5257", "2.4071", "2.1234"]
    assert by_reach["n"] == 500
    assert percent(found["engagement_rate"]["by_impressions"]["pooled"]) == "0.7170"
    assert percent(found["engagement_rate"]["by_followers"]["mean"]) == "0.1734"
    medians = [
        (group["key"], percent(group["engagement_rate"]["by_reach"]["median"]), group["posts"])
        for group in found["groups"]
    ]
    assert medians == [
        ("Photo", "2.4524", 426), ("Status", "1.5305", 45), ("Link", "0.6810", 22), ("Video", "0.5458", 7),
    ]  # fmt: skip
    blanks = {entry["column"]: entry["cells"] for entry in result.unknown}
    assert blanks == {"like": 1, "share": 4, "Paid": 1}
    ranking = found["ranking"]
    assert (ranking["denominator"], ranking["n"], ranking["unknown"]) == ("by_reach", 500, 0)
    assert [(place["label"], percent(place["rate"])) for place in ranking["top"]] == [
        ("row 89", "7.7517"), ("row 83", "7.3623"), ("row 94", "7.2274"),
    ]  # fmt: skip
    assert {place["engagements"] for place in ranking["bottom"]} == {0}
    rows = stored(env, Outside)
    assert len(rows) == 500
    assert (sum(row.reactions is None for row in rows), sum(row.shares is None for row in rows)) == (1, 4)
    assert show(env, source="import:facebook_uci")["engagement_rate"] == found["engagement_rate"]


def test_a_file_in_its_manner_without_the_data(env):
    result = bring(env, FIVE)
    assert (result.file.made.name, result.file.channel, result.errors) == ("facebook_uci", "facebook", [])
    assert result.summary["totals"]["engagements"] == {"sum": 86, "n": 6}
    assert result.summary["totals"]["reactions"] == {"sum": 10, "n": 5}
    assert result.summary["engagement_rate"]["by_reach"] == {
        "pooled": 79 / 4000, "mean": pytest.approx(0.022), "median": 0.01, "n": 5,
    }  # fmt: skip
    assert {entry["column"]: (entry["figure"], entry["cells"]) for entry in result.unknown} == {
        "like": ("reactions", 1), "share": ("shares", 1), "Paid": (None, 1), "Total Reach": ("reach", 1),
    }  # fmt: skip
    assert [place["label"] for place in result.summary["ranking"]["top"]] == ["row 2", "row 5", "row 3"]
    assert result.summary["ranking"]["unknown"] == 1
    row = stored(env, Outside)[2]
    assert (row.kind, row.label, row.shares, row.engagements, row.published_at) == ("Link", "row 4", None, 5, None)


@pytest.mark.parametrize(
    "data",
    [
        as_csv(FIVE, ";"),
        as_csv(FIVE, "\t", "utf-16"),
        as_csv(FIVE, ";", "utf-8-sig"),
        as_csv(FIVE, ",", "cp1252"),
        as_xlsx(FIVE),
        b"sep=;\r\n" + as_csv(FIVE, ";"),
    ],
    ids=["semicolon", "utf-16", "mark", "cp1252", "xlsx", "sep"],
)
def test_however_it_was_saved(env, data):
    result = import_figures(env, data, filename="file")
    assert (result.errors, result.summary["totals"]["engagements"]) == ([], {"sum": 86, "n": 6})


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "empty"), (b"\r\n\r\n", "empty"), (b"\xd0\xcf\x11\xe0rest", "xls"), (b'a,"b\n1,2', "quotes")],
)
def test_what_is_no_table(env, data, said):
    with pytest.raises(Refused, match=said):
        import_figures(env, data, filename="file")


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        (UCI_COLUMNS, "facebook_uci"),
        (META_COLUMNS, "meta_posts"),
        (META_FR_COLUMNS, "meta_posts_fr"),
        (INSTAGRAM_COLUMNS, "meta_instagram"),
        (X_COLUMNS, "x_posts"),
        (X_OLD_COLUMNS, "x_posts"),
        (LINKEDIN_COLUMNS, "linkedin_updates"),
        (YOUTUBE_COLUMNS, "youtube_content"),
        (YOUTUBE_FR_COLUMNS, "youtube_content"),
    ],
)
def test_an_export_is_known_by_its_header(columns, name):
    for header in (list(columns), [f" {column.upper()} " for column in columns]):
        made, found = detect([["What follows is explained"], header, ["1"] * len(columns)], shipped().values())
        assert (made.name, found.row) == (name, 1)


def test_meta_in_english_and_french(env):
    english = bring(env, table(META_COLUMNS, meta("122", total="1,234", Views="5,000")))
    row = stored(env, Outside)[0]
    assert (english.file.made.name, row.key, row.label, row.kind) == ("meta_posts", "122", "Publication 122", "Photos")
    assert (row.reach, row.views, row.engagements, row.saves) == (1000, 5000, 1234, None)
    assert row.published_at == paris(MONDAY, 9)
    french = {
        "Identifiant de la publication": "123", "Titre": "Été", "Heure de publication": "03/12/2026 18:30",
        "Permalien": "https://facebook.com/123", "Couverture": "1\u202f200",
        "Réactions, commentaires et partages": "12",
    }  # fmt: skip
    bring(env, table(META_FR_COLUMNS, french))
    row = stored(env, Outside)[1]
    assert (row.source, row.label, row.reach, row.engagements) == ("import:meta_posts_fr", "Été", 1200, 12)
    assert row.published_at.astimezone(PARIS).isoformat() == "2026-12-03T18:30:00+01:00"


def test_x_counts_no_click_as_engagement(env):
    post = {
        "Post id": "2074000000000000001", "Date": "Tue, Nov 24, 2026", "Post text": "Bonjour, la presse",
        "Post Link": "https://x.com/hop/status/2074000000000000001", "Impressions": "1000", "Likes": "5",
        "Engagements": "99", "Bookmarks": "1", "Replies": "2", "Reposts": "3", "URL Clicks": "40",
    }  # fmt: skip
    result = bring(env, table(X_COLUMNS, post))
    row = stored(env, Outside)[0]
    assert (row.channel, row.engagements, row.clicks, row.saves) == ("twitter", None, 40, 1)
    assert result.summary["totals"]["engagements"] == {"sum": 11, "n": 1}
    by_hour = show(env, by="hour")["groups"]
    assert [group["key"] for group in by_hour] == [None], "the file gives a day, not midnight"
    assert [group["key"] for group in show(env, by="weekday")["groups"]] == [2]


def test_linkedin_explains_itself_first_and_has_no_ids(tmp_path):
    env = workspace(tmp_path, config(linkedin={"audiences": ["professionals"], "platform": "linkedin"}))
    link = "https://www.linkedin.com/feed/update/urn:li:activity:7"
    post = {"Post title": "Nos métiers", "Post link": link, "Created date": "11/24/2026", "Impressions": "100",
            "Likes": "7", "Reposts": "0"}  # fmt: skip
    bring(env, table(LINKEDIN_COLUMNS, post, lead=[["The title, or the first words", "", "Organic or sponsored"]]))
    (row,) = stored(env, Outside)
    assert (row.key, row.permalink, row.reactions, row.comments, row.shares) == (link, link, 7, None, 0)
    env.store.close()


@pytest.mark.parametrize(("columns", "day"), [(YOUTUBE_COLUMNS, "Sep 20, 2026"), (YOUTUBE_FR_COLUMNS, "20 sept. 2026")])
def test_youtubes_total_is_no_video(tmp_path, columns, day):
    env = workspace(tmp_path, config(video={"audiences": ["public"], "platform": "youtube"}))
    key, title, published = columns[:3]
    views = columns[4]
    total = {key: "Total", views: "500"}
    video = {key: "-abc123", title: "La main verte", published: day, views: "200"}
    result = bring(env, table(columns, total, video))
    (row,) = stored(env, Outside)
    assert (row.key, row.views, row.label, result.file.read.skipped) == ("-abc123", 200, "La main verte", 1)
    assert row.published_at.astimezone(PARIS).isoformat() == "2026-09-20T00:00:00+02:00"
    env.store.close()


def test_columns_named_by_hand(env):
    rows = [["Lien", "Portée", "J'aime", "Jour"], ["https://f.example/1", "100", "7", "2026-11-23"]]
    with pytest.raises(UsageError, match="No map knows this file") as error:
        bring(env, rows)
    assert "Lien, Portée, J'aime, Jour" in error.value.message
    columns = {"permalink": "lien", "reach": "Portée", "reactions": "J'AIME", "published_at": "Jour"}
    result = bring(env, rows, columns=columns, channel="facebook")
    (row,) = stored(env, Outside)
    assert (row.source, row.reach, row.reactions) == ("import:columns", 100, 7)
    assert result.summary["engagement_rate"]["by_reach"]["pooled"] == 0.07
    with pytest.raises(UsageError, match="'Reichweite'") as error:
        bring(env, rows, columns={"reach": "Reichweite"}, channel="facebook")
    assert "Lien, Portée, J'aime, Jour" in error.value.hint
    with pytest.raises(UsageError, match="no figure"):
        bring(env, rows, columns={"love": "J'aime"}, channel="facebook")
    with pytest.raises(UsageError, match="Whose figures"):
        bring(env, rows, columns=columns)


OWN_MAP = """
name: agency
columns: {reach: [Portee], reactions: Likes}
key: Id
published_at: Quand
formats: ["%d.%m.%Y %H:%M"]
zone: America/Cayenne
thousands: "."
blank: ["-", "n.c."]
"""


def test_a_map_of_ones_own(env, tmp_path):
    path = tmp_path / "agency.yaml"
    path.write_text(OWN_MAP, encoding="utf-8")
    rows = [["Id", "Portee", "Likes", "Quand"], ["1", "1.234", "n.c.", "23.11.2026 05:00"]]
    bring(env, rows, map_name=str(path), channel="facebook")
    (row,) = stored(env, Outside)
    assert (row.reach, row.reactions, row.published_at) == (1234, None, paris(MONDAY, 9))
    for broken, said in (
        (OWN_MAP.replace("reach:", "raech:"), "raech"),
        (OWN_MAP.replace("America/Cayenne", "Cayenne"), "time zone"),
        (OWN_MAP.replace("formats:", "format:"), "format"),
    ):
        path.write_text(broken, encoding="utf-8")
        with pytest.raises(ConfigError, match=said):
            bring(env, rows, map_name=str(path), channel="facebook")
    with pytest.raises(UsageError, match="There is no map 'mata'"):
        bring(env, rows, map_name="mata")


def test_a_named_map_may_have_a_column_elsewhere(env):
    columns = [name.replace("Reach", "Personnes touchées") for name in META_COLUMNS]
    rows = table(columns, {**meta("1"), "Personnes touchées": "77"})
    bring(env, rows, map_name="meta_posts", columns={"reach": "Personnes touchées"})
    assert stored(env, Outside)[0].reach == 77


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        (meta("1", reach="beaucoup"), "Reach", "'beaucoup' is not a whole number"),
        (meta("1", reach="-3"), "Reach", "-3 is below zero"),
        (meta("1", reach="3.5"), "Reach", "not a whole number"),
        (meta("1", reach="1,23"), "Reach", "not a whole number"),
        (meta("1", reach="9" * 18), "Reach", "too large"),
        (meta("1.22158E+17"), "Post ID", "a spreadsheet has rounded"),
        (meta("", Permalink=""), "Post ID", "neither id nor address"),
        (meta("1", **{"Publish time": "23/11/2026 09:00"}), "Publish time", "is not a time"),
        (meta("1", Date="11/23/2026"), "Date", "not those of the post's whole life"),
    ],
)
def test_a_bad_row_is_told_and_nothing_is_written(env, row, column, said):
    rows = table(META_COLUMNS, meta("7"), row)
    result = bring(env, rows)
    assert [(error.row, error.column) for error in result.errors] == [(3, column)]
    assert said in result.errors[0].message
    assert (result.written, stored(env, Outside), stored(env, Action)) == (False, [], [])
    assert bring(env, rows, partial=True).written
    assert [row.key for row in stored(env, Outside)] == ["7"]


def test_rows_that_contradict_each_other(env):
    rows = table(META_COLUMNS, meta("1"), meta("2"), meta("1"), meta("2", reach="9"))
    result = bring(env, rows)
    assert [(error.row, error.message) for error in result.errors] == [
        (5, "row 3 gives other figures of the same post")
    ]
    assert result.file.read.skipped == 1
    assert not result.written


def test_a_formula_is_no_figure(env):
    rows = [list(row) for row in FIVE]
    rows[1][UCI_COLUMNS.index("Total Reach")] = "=SUM(A1:A2)"
    rows[2][UCI_COLUMNS.index("Paid")] = "=1"  # nobody reads that column
    (error,) = import_figures(env, as_xlsx(rows), filename="file.xlsx").errors
    assert (error.row, error.column) == (2, "Total Reach")
    assert "formula" in error.message


def test_a_doubled_column_is_not_guessed(env):
    rows = [[*row, "5"] for row in FIVE]
    rows[0][-1] = "like"
    with pytest.raises(UsageError, match="'like' stands twice"):
        bring(env, rows)


def test_an_unknown_channel_and_a_time_to_come(env):
    with pytest.raises(NotFound):
        bring(env, FIVE, channel="nowhere")
    with pytest.raises(UsageError, match="after now"):
        bring(env, FIVE, taken_at=env.now + timedelta(minutes=1))


# --- nothing comes in twice -------------------------------------------------------------------------------------------


def test_the_same_file_twice_adds_nothing(env):
    first = bring(env, FIVE)
    env.clock.advance(timedelta(days=3))
    again = bring(env, FIVE)
    assert (len(first.decision.new), len(again.decision.new), again.decision.unchanged) == (6, 0, 6)
    assert again.taken_at == first.taken_at
    assert len(stored(env, Outside)) == 6
    log = stored(env, Action)
    assert [row.verb for row in log] == ["metrics.import"]
    assert first_break(log) is None


def test_an_old_file_does_not_become_the_newest(env):
    old, new = table(META_COLUMNS, meta("1", reach="100")), table(META_COLUMNS, meta("1", reach="200"))
    for rows in (old, new, old):
        bring(env, rows)
        env.clock.advance(timedelta(hours=1))
    assert [row.reach for row in stored(env, Outside)] == [100, 200]
    assert show(env)["totals"]["reach"] == {"sum": 200, "n": 1}


def test_only_what_changed_is_kept(env):
    bring(env, table(META_COLUMNS, meta("1"), meta("2")))
    env.clock.advance(timedelta(days=1))
    later = bring(env, table(META_COLUMNS, meta("1"), meta("2", reach="1500"), meta("3")))
    assert (later.decision.unchanged, [taken.row.key for taken in later.decision.new]) == (1, ["2", "3"])
    found = show(env)
    assert (found["posts"], found["totals"]["reach"]) == (3, {"sum": 3500, "n": 3})


def test_other_figures_at_the_same_time_are_a_contradiction(env):
    at = env.now - timedelta(hours=2)
    bring(env, table(META_COLUMNS, meta("1")), taken_at=at)
    result = bring(env, table(META_COLUMNS, meta("1", reach="5")), taken_at=at)
    assert "--taken-at" in result.errors[0].message
    assert not result.written


def test_a_dry_run_says_the_same_and_writes_nothing(env):
    dry = bring(env, FIVE, dry_run=True)
    assert (stored(env, Outside), stored(env, Action), dry.written) == ([], [], False)
    real = bring(env, FIVE)
    assert {**real.as_json(), "dry_run": True, "written": False} == dry.as_json()


# --- posts of ours ----------------------------------------------------------------------------------------------------


def test_rows_of_our_posts_become_snapshots(env):
    mine, tailed, linked = (seed_post(env, MONDAY, remote_id=name) for name in ("111", "900_222", "abc"))
    seed_snapshot(env, mine, paris(MONDAY, 12), reach=5, reactions=1)
    rows = table(
        META_COLUMNS,
        meta("111", reach="100", total="10"),
        meta("222", reach="200"),
        meta("333", Permalink="http://facebook.example/abc/?utm_source=x#top"),
        meta("444"),
    )
    result = bring(env, rows)
    assert (result.decision.matched, result.decision.outside) == (3, 1)
    imported = [row for row in stored(env, Snapshot) if row.source == "import:meta_posts"]
    assert [(row.post_id, row.reach) for row in imported] == [(mine, 100), (tailed, 200), (linked, 1000)]
    assert [row.key for row in stored(env, Outside)] == ["444"]
    found = show(env)
    assert (found["own"], found["outside"], found["totals"]["reach"]["sum"]) == (3, 1, 2300)
    assert show(env, source="sandbox")["totals"]["reach"] == {"sum": 5, "n": 1}


def test_imported_figures_reach_the_weekly_report(env):
    seed_post(env, MONDAY, remote_id="111")
    at = paris(MONDAY + timedelta(days=7), 7)
    bring(env, table(META_COLUMNS, meta("111", reach="400", total="20"), meta("5")), taken_at=at)
    report = week_report(env, Week(2026, 48))
    assert (entry(report)["reach"], entry(report)["engagements"]) == (400, 20)


def test_further_parts_of_a_thread_are_neither_ours_nor_strangers(env):
    seed_post(env, MONDAY, remote_id="111", parts=2)
    result = bring(env, table(META_COLUMNS, meta("111"), meta("111-2")))
    assert (result.decision.matched, result.decision.parts, result.decision.outside) == (1, 1, 0)


def test_a_stranger_that_turned_out_to_be_ours_counts_once(env):
    bring(env, table(META_COLUMNS, meta("111")))
    post = seed_post(env, MONDAY, remote_id="111")
    seed_snapshot(env, post, paris(MONDAY, 12), reach=5)
    found = show(env)
    assert (found["own"], found["outside"], found["totals"]["reach"]["sum"]) == (1, 0, 5)


def test_whether_the_end_of_an_id_is_enough_is_the_maps_word_when_shown_too(env, tmp_path):
    """Ids of this kind are no ends of ours, unless their map says so; also a map that is not there any more."""
    plain, tailed = tmp_path / "plain.yaml", tmp_path / "tailed.yaml"
    plain.write_text("name: plain\ncolumns: {reach: Portee}\nkey: Id\n", encoding="utf-8")
    tailed.write_text("name: tailed\ncolumns: {reach: Portee}\nkey: Id\nkey_tail: '-'\n", encoding="utf-8")
    bring(env, [["Id", "Portee"], ["222", "5"]], map_name=str(plain), channel="facebook")
    bring(env, [["Id", "Portee"], ["333", "7"]], map_name=str(tailed), channel="facebook")
    plain.unlink()
    tailed.unlink()
    seed_post(env, MONDAY, remote_id="900_222")
    seed_post(env, MONDAY, remote_id="900-333")
    found = show(env)
    assert (found["own"], found["outside"], found["totals"]["reach"]["sum"]) == (2, 1, 5)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://www.facebook.com/a/posts/1/", "http://facebook.com/a/posts/1?utm_source=x#y"),
        ("https://twitter.com/hop/status/9", "https://x.com/hop/status/9"),
    ],
)
def test_addresses_of_the_same_post(one, other):
    assert address(one) == address(other)


def test_addresses_of_different_posts():
    links = ("https://facebook.com/permalink.php?id=1", "https://facebook.com/permalink.php?id=2", "http://[broken")
    assert len({address(link) for link in links}) == 3


# --- what is stored, shown --------------------------------------------------------------------------------------------


def test_groups_and_periods(env):
    for number in range(6):
        post = seed_post(
            env, MONDAY + timedelta(days=number % 2), hour=9 + number, kind="event" if number else "quiz",
            audiences=["public", "families"], objective="inform" if number else None,
        )  # fmt: skip
        seed_snapshot(env, post, paris(MONDAY + timedelta(days=2), 9), reach=100, reactions=number)
    seed_followers(env, paris(MONDAY, 8), 1000)
    bring(env, FIVE)
    found = show(env, by="kind", last=MONDAY)
    assert (found["own"], found["outside"], found["undated"]) == (3, 0, 6)
    assert [(group["key"], group["posts"], group["enough"]) for group in found["groups"]] == [
        ("event", 2, False), ("quiz", 1, False),
    ]  # fmt: skip
    assert found["ranking"]["enough"] is False
    assert found["engagement_rate"]["by_followers"]["n"] == 3
    by_day = show(env, by="weekday", source="sandbox")["groups"]
    assert [(group["key"], group["posts"]) for group in by_day] == [(1, 3), (2, 3)]
    assert [group["key"] for group in show(env, by="hour", source="sandbox")["groups"]] == [9, 10, 11, 12, 13, 14]
    assert [group["posts"] for group in show(env, by="audience", source="sandbox")["groups"]] == [6, 6]
    assert [group["key"] for group in show(env, by="objective", source="sandbox")["groups"]] == ["inform", None]
    assert show(env, channel="twitter")["posts"] == 0
    with pytest.raises(NotFound):
        show(env, channel="nowhere")
    with pytest.raises(UsageError):
        show(env, first=MONDAY, last=MONDAY - timedelta(days=1))


# --- cells ------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**15), st.sampled_from(["", ",", "."]), st.sampled_from([" ", "\u00a0", "\u202f", "\u2009"]))
def test_a_count_is_read_as_it_was_written(value, thousands, blank):
    assert count(f" {value} ", thousands=thousands) == value
    assert count(f"{value:,}".replace(",", blank), thousands=thousands) == value
    if thousands:
        assert count(f"{value:,}".replace(",", thousands), thousands=thousands) == value


@pytest.mark.parametrize("cell", ["", "  ", "\u00a0", "\t"])
def test_blank_is_unknown_and_never_zero(cell):
    assert count(cell) is None
    assert (count("0"), count("0.0"), count("-0")) == (0, 0, 0)


@given(st.text(max_size=12))
def test_any_cell_is_a_count_or_told(cell):
    try:
        found = count(cell, thousands=",")
    except ValueError:
        found = 0  # told, as the tests around this one see
    assert found is None or found >= 0


@pytest.mark.parametrize("cell", ["1 2 3", "12 34", "1e3", "0x10", "١٢", "+3", "12%", "1.", "1,234"])
def test_what_is_no_count(cell):
    with pytest.raises(ValueError, match="whole number"):
        count(cell)


@pytest.mark.parametrize(
    ("cell", "form", "read"),
    [
        ("11/23/2026 09:00", "%m/%d/%Y %H:%M", "2026-11-23T08:00:00+00:00"),
        ("2026-11-23 09:00 +0000", "%Y-%m-%d %H:%M %z", "2026-11-23T09:00:00+00:00"),
        ("23 nov. 2026", "%d %b %Y", "2026-11-22T23:00:00+00:00"),
        ("3 août 2026", "%d %b %Y", "2026-08-02T22:00:00+00:00"),
    ],
)
def test_instants(cell, form, read):
    found = instant(cell, ["%H", form], PARIS)
    assert found is not None
    assert found.isoformat() == read


@pytest.mark.parametrize("cell", ["31/11/2026", "11/23/2026", "0001-01-01", "demain"])
def test_what_is_no_instant(cell):
    with pytest.raises(ValueError, match="is not a time"):
        instant(cell, ["%d/%m/%Y", "%Y-%m-%d"], PARIS)


# --- the command line -------------------------------------------------------------------------------------------------


def written(tmp_path: Path, rows) -> str:
    path = tmp_path / "figures.csv"
    path.write_bytes(as_csv(rows))
    return str(path)


def test_what_a_person_reads(example, run, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("CM_ACTOR", "camille")
    done = run("metrics", "import", written(tmp_path, FIVE), cwd=example)
    assert done.code == 0
    assert "6 rows read: 0 of posts of ours, 6 of others." in done.err
    assert "Blank cells stay unknown: reach 1, reactions 1, shares 1, other columns 1." in done.err
    assert "6 new, 0 unchanged." in done.err
    assert "Best and worst engagement rate by reach, of 5 posts" in done.out
    assert "1 post has no such rate: a figure is unknown." in done.out
    assert "1.9750%" in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    assert "0 new, 6 unchanged." in run("metrics", "import", written(tmp_path, FIVE), cwd=example).err
    shown = run("metrics", "show", "--by", "kind", cwd=example)
    assert "Photo" in shown.out
    assert "6 that only files know" in shown.err
    assert "unknown" in run("metrics", "show", "--by", "hour", cwd=example).out
    assert "Nothing is stored that fits." in run("metrics", "show", "--channel", "twitter", cwd=example).out


def test_json_and_exit_codes(example, run, run_json, run_err, tmp_path, monkeypatch):
    monkeypatch.setenv("CM_ACTOR", "camille")
    path = written(tmp_path, table(META_COLUMNS, meta("1"), meta("2", reach="x")))
    refused = run("metrics", "import", path, "--json", cwd=example)
    assert (refused.code, refused.json["written"]) == (4, False)
    assert refused.json["errors"] == [{"row": 3, "column": "Reach", "message": "'x' is not a whole number"}]
    assert "Refused" in run("metrics", "import", path, cwd=example).out
    assert run("metrics", "import", path, "--partial", cwd=example).code == 4
    found = run_json("metrics", "show", cwd=example)
    assert (found["outside"], found["sources"]) == (1, {"import:meta_posts": 1})
    assert run_err(2, "metrics", "import", path, "--column", "reach", cwd=example)["kind"] == "usage"
    assert run_err(2, "metrics", "import", path, "--map", "nope", cwd=example)["kind"] == "usage"
    assert run_err(5, "metrics", "import", path, "-c", "nope", cwd=example)["kind"] == "not_found"
    assert run_err(2, "metrics", "show", "--from", "yesterday", cwd=example)["kind"] == "usage"
    assert run_err(2, "metrics", "import", str(tmp_path / "absent.csv"), cwd=example)["kind"] == "usage"


def test_showing_and_csv_load_neither_workbooks_nor_network(example, tmp_path):
    path = written(tmp_path, FIVE)
    for args in (("metrics", "show"), ("metrics", "import", path, "--dry-run"), ("report", "week")):
        done = fresh(*args, cwd=example, CM_ACTOR="camille")
        assert done.code == 0, done.err
        assert not loaded(done.modules, "openpyxl", "httpx", "babel", "alembic")
    for args in (("metrics", "import", "--help"), ("metrics", "show", "--by", "nonsense")):
        assert not loaded(fresh(*args, cwd=example).modules, "sqlalchemy", "httpx")


def test_the_shell_knows_the_maps(example):
    done = fresh(_CM_COMPLETE="complete_cm", CM_COMPLETE_LINE="cm metrics import x.csv --map meta", cwd=example)
    assert [line.split("\t")[0] for line in done.out.splitlines()] == ["meta_instagram", "meta_posts", "meta_posts_fr"]


def test_hostile_files_move_no_cursor(example, run, tmp_path, monkeypatch):
    monkeypatch.setenv("CM_ACTOR", "camille")
    evil = "\x1b[31m[red]rouge\u202e"
    rows = [meta(str(n), reach=str(100 + n), Title=evil, **{"Post type": evil}) for n in range(6)]
    path = written(tmp_path, table(META_COLUMNS, *rows, meta("9", reach=evil)))
    told = [run("metrics", "import", path, "--partial", cwd=example), run("metrics", "show", cwd=example)]
    told.append(run("metrics", "import", written(tmp_path, [[evil, "b"], ["1", "2"]]), cwd=example))
    for done in told:
        assert not {"\x1b", "\u202e"} & set(done.out + done.err)
    assert json.loads(run("metrics", "show", "--json", cwd=example).out)["outside"] == 6
