"""Copies of a workspace: one publishes, the others are refused; `cm db adopt` says which."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from support_mastodon import TOKENS, running
from support_publish import channel, cm, make_workspace, open_desk
from support_terminal import typed

from cm.model.tables import Account, Action
from cm.publishing.account_lock import Standing
from cm.publishing.adopt import adopt

BRISK = {"send_deadline": 2, "lease": 6, "settle": 2, "backoff": [0.2], "attempts": 9}


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("mastodon")) as started:
        yield started


@pytest.fixture
def toots(server, monkeypatch):
    monkeypatch.setenv("CM_TEST_TOKEN", TOKENS["tilleuls"])
    server.reset()
    return server


def planned(root, url, *texts, **given):
    """A workspace with one real account and posts whose time has come, a minute apart; one more for tomorrow."""
    account = channel(
        "tilleuls",
        platform="mastodon",
        adapter="mastodon",
        settings={"server": url},
        token="env:CM_TEST_TOKEN",
        **given,
    )
    made = make_workspace(root, {"toot": account}, publishing=BRISK, timezone="UTC")
    desk = open_desk(made, (datetime.now(UTC) - timedelta(minutes=30)).replace(second=0, microsecond=0))
    for n, text in enumerate(texts):
        desk.add(text, to="toot", minutes=n)
    desk.add("tomorrow", to="toot", minutes=24 * 60)
    desk.close()
    return made


def add(root, text):
    """One more post, whose time has come."""
    desk = open_desk(root, (datetime.now(UTC) - timedelta(minutes=5)).replace(second=0, microsecond=0))
    ident = desk.add(text, to="toot")
    desk.close()
    return ident


def texts(server):
    return [server.source(status["id"]) for status in server.statuses()]


def publish(root, **environment):
    return cm("-C", str(root), "publish", **environment)


def database(root, target):
    """The database with its write-ahead log, as a backup of the files has them."""
    target.mkdir(exist_ok=True)
    for path in root.glob("cm.db*"):
        shutil.copy(path, target)


def put_back(root, kept):
    for path in root.glob("cm.db*"):
        path.unlink()
    for path in kept.glob("cm.db*"):
        shutil.copy(path, root)


def states(root):
    listed = json.loads(cm("-C", str(root), "post", "list", "--json").stdout)["posts"]
    return {post["text"]: post["state"] for post in listed}


# --- two copies on one machine ----------------------------------------------------------------------------------------


def test_of_two_copies_the_one_that_lags_behind_is_refused_until_it_is_adopted(tmp_path, toots):
    first = planned(tmp_path / "first", toots.url, "one", "two")
    second = Path(shutil.copytree(first, tmp_path / "second"))
    assert publish(first).returncode == 0
    refused = publish(second)
    assert refused.returncode == 3
    assert "cm db reconcile" in refused.stderr
    assert texts(toots) == ["one", "two"]

    taken = cm("-C", str(second), "db", "adopt", "--reason", "the first machine is retired", "--yes", "--json")
    assert taken.returncode == 0, taken.stderr
    [report] = json.loads(taken.stdout)["channels"]
    assert [entry["id"] for entry in report["adopted"]] == ["p1", "p2"]
    assert states(second) == {"one": "published", "two": "published", "tomorrow": "scheduled"}
    add(second, "three")
    assert publish(second).returncode == 0
    assert texts(toots) == ["one", "two", "three"]

    add(first, "from the old copy")
    refused = publish(first)
    assert refused.returncode == 3
    assert "taken over" in refused.stderr
    assert "cm db adopt" in refused.stderr
    assert cm("-C", str(first), "db", "reconcile").returncode == 3
    assert publish(first).returncode == 3
    assert texts(toots) == ["one", "two", "three"]


def test_a_copy_that_reconciles_without_adopting_leaves_the_other_behind(tmp_path, toots):
    first = planned(tmp_path / "first", toots.url, "one")
    second = Path(shutil.copytree(first, tmp_path / "second"))
    assert publish(first).returncode == 0
    assert cm("-C", str(second), "db", "reconcile", "--yes").returncode == 0
    add(first, "from the first")
    add(second, "from the second")
    refused = publish(first)
    assert (refused.returncode, texts(toots)) == (3, ["one"])
    assert publish(second).returncode == 0
    assert texts(toots) == ["one", "from the second"]
    assert publish(first).returncode == 3


def test_a_copy_asks_before_it_publishes_instead_of_the_other(tmp_path, toots):
    first = planned(tmp_path / "first", toots.url, "one")
    second = Path(shutil.copytree(first, tmp_path / "second"))
    assert publish(first).returncode == 0
    look = ("-C", str(second), "db", "reconcile")
    unasked = cm(*look)
    assert unasked.returncode == 2
    assert "Every other copy of this workspace would be refused" in unasked.stderr
    seen = cm(*look, "--dry-run")
    assert (seen.returncode, publish(second).returncode) == (0, 3)
    assert "would publish for toot from then on; every other copy would be refused" in seen.stderr
    code, said = typed(*look, keys="n\n", cwd=tmp_path)
    assert (code, publish(second).returncode) == (4, 3)
    assert f"{second} becomes the one that publishes for toot." in " ".join(said.split())
    code, said = typed(*look, keys="y\n", cwd=tmp_path)
    assert (code, publish(second).returncode) == (0, 0)
    assert "publishes for toot from now on" in " ".join(said.split())
    again = cm(*look)  # it is the one already: nothing to ask
    assert (again.returncode, "every other copy" in again.stderr) == (0, False)


def test_both_copies_of_a_shared_account_do_not_both_send(tmp_path, toots):
    """Whose post it is that stands there nobody can tell where others post too: a person says it (7)."""
    first = planned(tmp_path / "first", toots.url, "one", shared=True)
    second = Path(shutil.copytree(first, tmp_path / "second"))
    assert publish(first).returncode == 0
    assert cm("-C", str(second), "db", "adopt", "--reason", "moved", "--yes").returncode == 7
    add(first, "old")
    assert publish(first).returncode == 3
    assert cm("-C", str(first), "db", "reconcile").returncode == 3
    assert publish(second).returncode == 0
    assert texts(toots) == ["one"]


def test_two_workspaces_share_an_account_that_says_so(tmp_path, toots):
    first = planned(tmp_path / "first", toots.url, "of the hospital", shared=True)
    second = planned(tmp_path / "second", toots.url, "of the school", shared=True)
    for root in (first, second, first, second):
        assert publish(root).returncode == 0
    add(first, "again")
    assert publish(first).returncode == 0
    assert texts(toots) == ["of the hospital", "of the school", "again"]


def test_another_workspace_on_the_same_account_is_refused(tmp_path, toots):
    first = planned(tmp_path / "first", toots.url, "of the hospital")
    second = planned(tmp_path / "second", toots.url, "of the school")
    assert publish(first).returncode == 0
    refused = publish(second)
    assert refused.returncode == 3
    assert "Another workspace" in refused.stderr
    assert texts(toots) == ["of the hospital"]


# --- a backup restored, over real HTTP --------------------------------------------------------------------------------


def test_files_put_back_send_nothing_before_somebody_looks_and_nothing_twice(tmp_path, toots):
    root = planned(tmp_path / "w", toots.url, "one", "two\n---\nsecond part", "three")
    database(root, tmp_path / "kept")
    assert publish(root).returncode == 0
    sent = ["one", "two", "second part", "three"]
    assert texts(toots) == sent
    put_back(root, tmp_path / "kept")
    refused = publish(root)
    assert refused.returncode == 3
    assert "cm db reconcile" in refused.stderr
    looked = cm("-C", str(root), "db", "reconcile", "--yes", "--json")
    assert looked.returncode == 0, looked.stdout
    [report] = json.loads(looked.stdout)["channels"]
    assert [(entry["id"], entry["message"]) for entry in report["adopted"]] == [
        ("p1", 1), ("p2", 1), ("p2", 2), ("p3", 1),
    ]  # fmt: skip
    permalinks = [entry["permalink"] for entry in report["adopted"]]
    assert permalinks == [status["url"] for status in toots.statuses()]
    assert publish(root).returncode == 0
    add(root, "four")
    assert publish(root).returncode == 0
    assert texts(toots) == [*sent, "four"]
    assert states(root)["tomorrow"] == "scheduled"


def test_a_platform_out_of_reach_keeps_the_account_refused(tmp_path, toots):
    root = planned(tmp_path / "w", toots.url, "one")
    database(root, tmp_path / "kept")
    assert publish(root).returncode == 0
    put_back(root, tmp_path / "kept")
    toots.fail_next("GET", "/api/v1/accounts/*", type="status", status=503)
    looked = cm("-C", str(root), "db", "reconcile", "--yes")
    assert looked.returncode == 6, looked.stderr
    assert publish(root).returncode == 3
    assert cm("-C", str(root), "db", "reconcile", "--yes").returncode == 0
    assert publish(root).returncode == 0
    assert texts(toots) == ["one"]


# --- another machine, another user ------------------------------------------------------------------------------------


def test_another_home_is_refused_until_it_adopts_and_then_the_first_is(tmp_path, toots):
    root = planned(tmp_path / "w", toots.url, "one", "two")
    there = {"XDG_STATE_HOME": str(tmp_path / "other state")}
    assert publish(root).returncode == 0
    add(root, "three")
    refused = publish(root, **there)
    assert refused.returncode == 3
    assert "cm db adopt" in refused.stderr
    assert cm("-C", str(root), "db", "reconcile", **there).returncode == 3
    taken = cm("-C", str(root), "db", "adopt", "--reason", "a new home", "--yes", **there)
    assert taken.returncode == 0, taken.stderr
    assert publish(root, **there).returncode == 0
    assert texts(toots) == ["one", "two", "three"]
    add(root, "four")
    assert publish(root).returncode == 3
    assert texts(toots) == ["one", "two", "three"]


def test_another_user_on_a_new_machine_adopts_and_is_told_what_it_could_not_write(tmp_path, toots):
    root = planned(tmp_path / "w", toots.url, "one")
    assert publish(root).returncode == 0
    shutil.rmtree(Path(os.environ["XDG_STATE_HOME"]) / "cm")
    there = {"XDG_STATE_HOME": str(tmp_path / "other state")}
    taken = cm("-C", str(root), "db", "adopt", "--reason", "a new machine", "--yes", "--json", **there)
    assert taken.returncode == 0, taken.stderr
    body = json.loads(taken.stdout)
    assert [path.startswith(os.environ["XDG_STATE_HOME"]) for path in body["unwritten"]] == [True]
    assert body["channels"][0]["standing"] == "no_memory"
    add(root, "two")
    assert publish(root, **there).returncode == 0
    assert texts(toots) == ["one", "two"]


def test_accounts_that_are_files_of_the_workspace_go_with_it(tmp_path):
    made = make_workspace(tmp_path / "w", {"fb": channel("page"), "print": channel("desk", adapter="outbox")})
    desk = open_desk(made)
    for name in ("fb", "print"):
        desk.add(f"one {name}", to=name)
    desk.tick()
    desk.close()
    copy = open_desk(Path(shutil.copytree(made, tmp_path / "copy")), desk.clock.now())
    done = adopt(copy.env, copy.workspace.adapter, ["fb", "print"], "the copy goes on")
    assert [(report.standing, report.unconfirmed) for report in done.reports] == [(Standing.OURS, ())] * 2
    copy.add("two", minutes=1)
    assert copy.tick(minutes=1).exit_code == 0
    assert copy.texts() == ["one fb", "two"]
    copy.close()


def test_a_new_machine_looks_before_it_sends(tmp_path, toots):
    """The folder was carried over; nothing here remembers what was sent."""
    first = planned(tmp_path / "w", toots.url, "one", "two")
    second = Path(shutil.copytree(first, tmp_path / "carried"))
    assert publish(first).returncode == 0
    shutil.rmtree(Path(os.environ["XDG_STATE_HOME"]) / "cm")
    add(first, "three")
    refused = publish(first)
    assert refused.returncode == 3
    assert "cm db reconcile" in refused.stderr
    looked = cm("-C", str(first), "db", "reconcile", "--yes")
    assert looked.returncode == 7  # whether it went out from the machine before, nobody knows
    assert states(first)["three"] == "unconfirmed"
    assert publish(second).returncode == 3
    assert texts(toots) == ["one", "two"]


def test_adopting_asks_and_writes_down_why(tmp_path, toots):
    root = planned(tmp_path / "w", toots.url, "one")
    assert cm("-C", str(root), "db", "adopt", "--yes").returncode == 2
    assert cm("-C", str(root), "db", "adopt", "--reason", "  ", "--yes").returncode == 2
    nobody = subprocess.run(
        [sys.executable, "-m", "cm", "-C", str(root), "db", "adopt", "--reason", "moved"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert nobody.returncode == 2
    assert "--yes" in nobody.stderr
    assert cm("-C", str(root), "db", "adopt", "--reason", "moved to the new server", "--yes").returncode == 0
    desk = open_desk(root)
    with desk.env.store.read() as session:
        last = session.exec(select(Action).order_by(Action.id.desc())).first()
        account = session.exec(select(Account)).one()
    desk.close()
    assert (last.verb, last.target, last.why) == ("adopt", "workspace", "moved to the new server")
    assert account.state_file.startswith(os.environ["XDG_STATE_HOME"])
    assert publish(root).returncode == 0
    assert texts(toots) == ["one"]


def test_an_account_that_cannot_be_looked_at_is_taken_over_later(tmp_path, toots):
    first = planned(tmp_path / "first", toots.url, "one")
    second = Path(shutil.copytree(first, tmp_path / "second"))
    assert publish(first).returncode == 0
    words = ("-C", str(second), "db", "adopt", "--reason", "moved", "--yes")
    refused = cm(*words, CM_TEST_TOKEN="wrong")
    assert refused.returncode == 7
    assert publish(second).returncode == 3
    assert cm(*words).returncode == 0
    assert publish(second).returncode == 0
    assert texts(toots) == ["one"]


# --- beside a run -----------------------------------------------------------------------------------------------------


def test_the_database_is_not_upgraded_while_a_run_is_publishing(tmp_path, toots):
    root = planned(tmp_path / "w", toots.url, "one")
    assert publish(root).returncode == 0
    lock = next((Path(os.environ["XDG_STATE_HOME"]) / "cm" / "accounts").glob("*.lock"))
    holder = (
        "import sys; from filelock import FileLock;"
        "held = FileLock(sys.argv[1]); held.acquire(); print(1, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        run.stdout.readline()
        refused = cm("-C", str(root), "db", "upgrade")
        assert refused.returncode == 6
        assert "publishing" in refused.stderr
        assert cm("-C", str(root), "db", "adopt", "--reason", "x", "--yes").returncode == 6
        run.communicate("\n")
    assert cm("-C", str(root), "db", "upgrade").returncode == 0
