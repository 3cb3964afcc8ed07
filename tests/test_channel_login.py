"""`cm channel login` and `logout` against a real OAuth 2 server on this machine, through an installed adapter."""

import io
import json
import os
import re
import socket
import stat
import sys
import threading
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
import yaml
from conftest import Completed, Run
from support_login import APP, APP_SECRET, Platform, install, platform
from support_publish import channel, make_workspace, open_desk
from support_terminal import conversing, typed

from cm.__main__ import main
from cm.cli.loopback import Loopback
from cm.secrets import Login, token_file

GIVEN = ("--given", f"client_id={APP}", "--given", "client_secret=-")


@pytest.fixture
def server():
    with platform() as made:
        yield made


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = install(tmp_path / "site")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]))
    return folder


@pytest.fixture
def root(tmp_path: Path, server: Platform, site: Path) -> Path:
    settings = {"server": server.address}
    masto = channel("page", platform="pretend", adapter="pretend", settings=settings, deputy="jo")
    return make_workspace(tmp_path / "w", {"masto": masto, "fb": channel("sand")})


def stored(root: Path) -> dict[str, str]:
    return dict(json.loads(token_file(root, "masto").read_text(encoding="utf-8")))


def put(root: Path, **values: str) -> None:
    path = token_file(root, "masto")
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(json.dumps(values), encoding="utf-8")
    path.chmod(0o600)


class Typing(io.StringIO):
    """What a person types into a command that has printed the address of a page: first the secret, then what the page
    sends them to."""

    def __init__(self, server: Platform, secret: str, paste: str) -> None:
        super().__init__(f"{secret}\n" if secret else "")
        self.server, self.paste = server, paste

    def readline(self, _size: int | None = -1, /) -> str:
        if known := super().readline():
            return known
        (page,) = re.findall(r"^http\S*/authorize\S*$", sys.stderr.getvalue(), re.MULTILINE)
        address = self.server.says_yes(page)
        return self.paste.format(address=address, code=next(iter(self.server.codes))) + "\n"


class Browser:
    """A person who logs in through a browser elsewhere, and pastes what comes of it."""

    def __init__(self, server: Platform, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.server, self.capsys, self.patch = server, capsys, monkeypatch

    def login(
        self,
        root: Path,
        *args: str,
        given: tuple[str, ...] = GIVEN,
        secret: str = APP_SECRET,
        paste: str = "{address}",
    ) -> Completed:
        """`paste` is what is typed: `{address}` of the page one is sent to, or its `{code}`."""
        self.capsys.readouterr()
        with self.patch.context() as patch:
            patch.setattr(sys, "argv", ["cm", "channel", "login", "masto", *given, "--paste", *args])
            patch.setattr(sys, "stdin", Typing(self.server, secret, paste))
            patch.chdir(root)
            code = main()
        return Completed(code, *self.capsys.readouterr())


@pytest.fixture
def browser(server: Platform, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(server, capsys, monkeypatch)


# --- logging in -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("paste", ["{address}", "{code}"])
def test_a_pasted_answer_becomes_a_private_login(root: Path, browser: Browser, paste: str) -> None:
    done = browser.login(root, paste=paste)
    assert done.code == 0, done.err
    assert "we are page (1001)" in done.err
    assert "It lasts until" in done.err
    assert stored(root).keys() == {"access_token", "refresh_token", "expires_at", "client_id", "client_secret"}
    assert stat.S_IMODE(token_file(root, "masto").stat().st_mode) == 0o600
    assert all(secret not in done.out + done.err for secret in stored(root).values() if secret != APP)


def test_a_program_is_told_what_became_of_it(root: Path, browser: Browser) -> None:
    done = browser.login(root, "--json")
    told = done.json
    assert (told["channel"], told["handle"], told["remote_id"]) == ("masto", "page", "1001")
    assert told["stored"] == "file:.cm/tokens/masto.json"
    assert datetime.fromisoformat(told["ends_at"]).tzinfo


def test_the_login_is_used_and_renewed_once_by_the_engine(
    root: Path, browser: Browser, server: Platform, run: Run
) -> None:
    server.lifetime = 100  # within the margin: it is renewed at each use
    assert browser.login(root).code == 0
    first = stored(root)["refresh_token"]
    server.lifetime = 3600
    assert run("channel", "check", "masto", cwd=root).code == 0
    assert server.used[-1] == first
    assert len(server.used) == len(set(server.used)) == 2, "renewed for the check of the login, then once more"
    assert run("channel", "check", "masto", cwd=root).code == 0
    assert len(server.used) == 2


def test_another_visits_answer_is_not_taken(root: Path, browser: Browser) -> None:
    put(root, access_token="as-before")
    done = browser.login(root, paste="http://127.0.0.1:8453/?code=c&state=another")
    assert done.code == 4
    assert "state" in done.err
    assert stored(root) == {"access_token": "as-before"}


@pytest.mark.parametrize(("paste", "code"), [("", 4), ("wrong-code", 7)])
def test_what_is_not_taken_changes_nothing(root: Path, browser: Browser, paste: str, code: int) -> None:
    put(root, access_token="as-before")
    done = browser.login(root, paste=paste)
    assert done.code == code
    assert stored(root) == {"access_token": "as-before"}


def test_a_refused_app_is_not_quoted(root: Path, browser: Browser) -> None:
    done = browser.login(root, secret="not-the-right-secret")
    assert done.code == 7
    assert "not-the-right-secret" not in done.err
    assert not token_file(root, "masto").exists()


def test_a_login_for_somebody_else_is_put_back(root: Path, browser: Browser, server: Platform) -> None:
    put(root, access_token="as-before")
    server.handle = "other"
    done = browser.login(root)
    assert done.code == 7
    assert "the token belongs to other" in done.err
    assert stored(root) == {"access_token": "as-before"}
    token_file(root, "masto").unlink()
    assert browser.login(root).code == 7
    assert not token_file(root, "masto").exists()


def test_a_platform_that_falls_silent_is_asked_again_before_anything_is_sent(
    root: Path, browser: Browser, server: Platform, run: Run
) -> None:
    assert browser.login(root).code == 0
    server.broken = {"/me": 503}
    done = browser.login(root)
    assert done.code == 6
    assert "The login is kept" in done.err
    desk = open_desk(root)
    try:
        ident = desk.add("Bonjour", to="masto")
        desk.tick()
        assert (desk.state(ident), server.posts) == ("scheduled", [])
        server.broken = {}
        desk.tick(minutes=2)
        assert (desk.state(ident), server.posts) == ("published", ["Bonjour"])
    finally:
        desk.close()


def test_a_login_ends_a_stop_for_authorisation(root: Path, browser: Browser, server: Platform) -> None:
    put(root, access_token="dead", refresh_token="dead", client_id=APP, client_secret=APP_SECRET)
    desk = open_desk(root)
    try:
        ident = desk.add("Bonjour", to="masto")
        desk.tick()
        assert desk.state(ident) == "scheduled"
        assert browser.login(root).code == 0
        desk.tick(minutes=1)
        assert (desk.state(ident), server.posts) == ("published", ["Bonjour"])
    finally:
        desk.close()


def test_what_was_answered_before_need_not_be_answered_again(root: Path, browser: Browser) -> None:
    assert browser.login(root).code == 0
    first = stored(root)["access_token"]
    assert browser.login(root, given=(), secret="").code == 0
    assert stored(root)["access_token"] != first


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--given", f"client_secret={APP_SECRET}"), "must not stand on the command line"),
        (("--given", "colour=red"), "answers no question"),
        (("--given", "client_id"), "answers no question"),
        ((), "App id is missing"),
        (("--given", f"client_id={APP}"), "App secret is missing"),
    ],
)
def test_what_cannot_be_answered(root: Path, run: Run, args: tuple[str, ...], said: str) -> None:
    done = run("channel", "login", "masto", *args, cwd=root)
    assert done.code == 2
    assert said in done.err
    assert APP_SECRET not in done.err


def test_channels_that_need_no_login(root: Path, run_err) -> None:
    assert "needs no login" in run_err(4, "channel", "login", "fb", cwd=root)["message"]
    assert run_err(5, "channel", "login", "nobody", cwd=root)["kind"] == "not_found"


def test_what_cm_can_only_read_is_said_first(root: Path, run_err, monkeypatch: pytest.MonkeyPatch) -> None:
    config = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))
    config["channels"]["masto"]["token"] = "env:MASTO"
    (root / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    monkeypatch.setenv("MASTO", "token")
    assert "not written" in run_err(3, "channel", "login", "masto", cwd=root)["message"]


def test_an_adapter_without_a_login_takes_a_token(root: Path, server: Platform, run: Run) -> None:
    config = (root / "config.yaml").read_text(encoding="utf-8").replace("adapter: pretend", "adapter: pretend-plain")
    (root / "config.yaml").write_text(config, encoding="utf-8")
    token = server.grant()["access_token"]
    done = run("channel", "login", "masto", "--given", "access_token=-", cwd=root, stdin=f"{token}\n".encode())
    assert (done.code, stored(root)) == (0, {"access_token": token})


# --- a person at a terminal -------------------------------------------------------------------------------------------


ANSWERS = [
    ("App id: ", lambda: f"{APP}\n"),
    ("App secret: ", lambda: f"{APP_SECRET}\n"),
    ("Note: ", lambda: "\n"),
]


def test_secrets_typed_at_a_terminal_are_not_shown(root: Path, server: Platform) -> None:
    steps = [*ANSWERS, ("you were sent to: ", lambda: "no-such-code\n")]
    code, seen = conversing("channel", "login", "masto", "--paste", cwd=root, steps=steps)
    assert code == 7, seen
    assert "on the page of the app" in seen
    assert "http://127.0.0.1:8453/" in seen
    assert APP_SECRET not in seen


BROWSER = """
import sys, urllib.request, urllib.error
from urllib.parse import urlsplit, parse_qsl, urlencode

asked = dict(parse_qsl(urlsplit(sys.argv[1]).query))
answer = urllib.request.urlopen("{yes}?" + urlencode({"url": sys.argv[1]})).read().decode()
for odd in ("favicon.ico", "?code=evil&state=guessed", "?code=evil"):
    try:
        urllib.request.urlopen(asked["redirect_uri"] + odd)
    except urllib.error.HTTPError as error:
        error.close()
urllib.request.urlopen(answer).read()
"""


def test_a_browser_is_sent_back_to_this_machine(
    root: Path, server: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser as webbrowser finds it: it first asks for an icon and with a foreign state, as a hostile page could."""
    script = tmp_path / "browser.py"
    with says_yes_for(server) as yes:
        script.write_text(BROWSER.replace("{yes}", yes), encoding="utf-8")
        monkeypatch.setenv("DISPLAY", ":99")
        monkeypatch.setenv("BROWSER", f"{sys.executable} {script} %s &")
        code, seen = conversing("channel", "login", "masto", cwd=root, steps=ANSWERS)
    assert code == 0, seen
    assert "we are page (1001)" in seen
    assert stored(root)["refresh_token"] in server.refresh


class says_yes_for:
    """Somebody who says yes to whatever page they are asked about; gives where the browser is sent."""

    def __init__(self, server: Platform) -> None:
        from http.server import BaseHTTPRequestHandler, HTTPServer
        from urllib.parse import parse_qsl, urlsplit

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                data = server.says_yes(dict(parse_qsl(urlsplit(self.path).query))["url"]).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Page)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))

    def __enter__(self) -> str:
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}/"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


# --- the page that a browser is sent back to --------------------------------------------------------------------------


def asked(page: Loopback, path: str, method: str = "GET", **headers: str) -> int:
    request = urllib.request.Request(page.address.rstrip("/") + path, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def waiting(page: Loopback, state: str) -> tuple[threading.Thread, list[dict[str, str] | None]]:
    got: list[dict[str, str] | None] = []
    thread = threading.Thread(target=lambda: got.append(page.wait(state, 30)))
    thread.start()
    while page._state != state:
        pass
    return thread, got


def test_the_page_takes_one_answer_with_its_state_and_nothing_else() -> None:
    state = "s" * 32
    with Loopback() as page:
        assert asked(page, f"/?code=early&state={state}") == 400, "nobody waits yet"
        thread, got = waiting(page, state)
        silent = socket.create_connection(("127.0.0.1", int(page.address.rsplit(":")[-1].strip("/"))))
        assert asked(page, "/favicon.ico") == 404
        assert asked(page, f"/other?code=c&state={state}") == 404
        assert asked(page, "/?code=c&state=wrong") == 400
        assert asked(page, "/?code=c") == 400
        assert asked(page, "/?code=c&state=%C3%A9%FF") == 400
        assert asked(page, f"/?code=c&state={state}", Host="evil.example") == 404
        assert asked(page, f"/?code=c&state={state}", method="POST") == 501
        assert asked(page, "/?" + urlencode({"code": "c0de", "state": state})) == 200
        thread.join()
        assert asked(page, f"/?code=second&state={state}") == 400
        silent.close()
    assert got == [{"code": "c0de", "state": state}]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(page.address.rsplit(":")[-1].strip("/"))), timeout=5)


def test_the_page_waits_for_a_while_and_no_longer() -> None:
    with Loopback() as page:
        assert page.wait("state", 0.05) is None


def test_only_this_machine_reaches_the_page() -> None:
    with Loopback() as page:
        assert page._server.server_address[0] == "127.0.0.1"


def test_a_taken_port_is_said(root: Path, run_err, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setenv("BROWSER", "true")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        error = run_err(2, "channel", "login", "masto", *GIVEN, "--port", port, cwd=root, stdin=b"x\n")
    assert f"Port {port}" in error["message"]


# --- logging out ------------------------------------------------------------------------------------------------------


def test_a_logout_revokes_then_deletes(root: Path, browser: Browser, server: Platform, run: Run, run_json) -> None:
    assert browser.login(root).code == 0
    done = run("channel", "logout", "masto", cwd=root)
    assert (done.code, token_file(root, "masto").exists()) == (2, True), "nobody could be asked"
    told = run_json("channel", "logout", "masto", "--yes", cwd=root)
    assert told == {"channel": "masto", "stored": "file:.cm/tokens/masto.json", "deleted": True}
    assert not token_file(root, "masto").exists()
    assert (server.refresh, server.access) == (set(), {})
    assert run_json("channel", "logout", "masto", "--yes", cwd=root)["deleted"] is False
    acts = run_json("audit", "list", "--verb", "channel", cwd=root)["actions"]
    assert sorted(act["verb"] for act in acts) == ["channel.login", "channel.logout"]
    assert {act["target"] for act in acts} == {"masto"}


def test_a_login_that_cannot_be_revoked_is_kept_unless_it_is_to_be_forgotten(
    root: Path, browser: Browser, server: Platform, run: Run
) -> None:
    assert browser.login(root).code == 0
    server.broken = {"/revoke": 503}
    done = run("channel", "logout", "masto", "--yes", cwd=root)
    assert done.code == 6
    assert "--forget" in done.err
    assert token_file(root, "masto").exists()
    assert run("channel", "logout", "masto", "--yes", "--forget", cwd=root).code == 0
    assert not token_file(root, "masto").exists()


@pytest.mark.parametrize("before", [None, "{corrupt", "open to others"])
def test_a_first_login_needs_nothing_that_can_be_read(root: Path, browser: Browser, before: str | None) -> None:
    config = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))
    config["channels"]["masto"]["token"] = "file:secrets/masto"
    (root / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    path = root / "secrets" / "masto"
    if before:
        path.parent.mkdir(exist_ok=True)
        path.write_text(before, encoding="utf-8")
        path.chmod(0o644 if before.startswith("open") else 0o600)
    assert browser.login(root, paste="wrong-code").code == 7
    assert not before or path.read_text(encoding="utf-8") == before
    assert browser.login(root).code == 0
    assert json.loads(path.read_text(encoding="utf-8"))["client_id"] == APP
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_cannot_be_read_can_be_forgotten(root: Path, run: Run) -> None:
    put(root)
    token_file(root, "masto").write_text("{corrupt", encoding="utf-8")
    assert run("channel", "logout", "masto", "--yes", cwd=root).code == 3
    assert run("channel", "logout", "masto", "--yes", "--forget", cwd=root).code == 0
    assert not token_file(root, "masto").exists()


def test_a_person_is_asked_before_a_logout(root: Path, browser: Browser) -> None:
    assert browser.login(root).code == 0
    code, seen = typed("channel", "logout", "masto", keys="n\n", cwd=root)
    assert (code, token_file(root, "masto").exists()) == (4, True)
    assert "Log out of page on pretend?" in seen
    code, _seen = typed("channel", "logout", "masto", keys="y\n", cwd=root)
    assert (code, token_file(root, "masto").exists()) == (0, False)


def test_logins_follow_the_clock_of_the_desk(root: Path) -> None:
    desk = open_desk(root)
    try:
        login = desk.workspace.login("masto")
        assert isinstance(login, Login)
        login.store({"access_token": "t", "expires_in": "60"})
        assert datetime.fromisoformat(login.read()["expires_at"]) == desk.clock.now() + timedelta(seconds=60)
    finally:
        desk.close()


def test_the_doctor_looks_at_what_is_kept(root: Path, run: Run) -> None:
    put(root, access_token="token-of-the-hospital")
    found = run("doctor", "--json", cwd=root).json["findings"]
    assert [each["key"] for each in found if each["group"] == "secrets"] == ["secrets.usable"]
    token_file(root, "masto").chmod(0o640)
    found = run("doctor", "--json", cwd=root).json["findings"]
    (bad,) = (each for each in found if each["group"] == "secrets")
    assert (bad["key"], "can be read by others" in bad["what"]) == ("secrets.unusable", True)
    assert bad["mend"].startswith("Run: chmod 600")
