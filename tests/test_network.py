"""`network:` holds for everything that goes out: adapters, notices, the watcher. The proxy is a real one."""

import base64
import json
import os
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Run
from support_login import install
from support_publish import channel, make_workspace, open_desk

from cm.channels.http import Http
from cm.channels.port import ChannelError, Network
from cm.errors import ConfigError, WorkspaceError
from cm.publishing import notices
from cm.publishing.holds import set_hold
from cm.secrets import token_file
from cm.workspace import check_config, open_workspace

PASSWORD = "proxy-canary-1f7e"


class Proxy(ThreadingHTTPServer):
    """Answers in the place of every server, and writes down what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.asked: list[tuple[str, str, str]] = []
        self.leads_to = ""


class _Asked(BaseHTTPRequestHandler):
    server: Proxy

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, self.headers.get("Proxy-Authorization", "")))
        data = json.dumps({"id": "1001", "handle": "page"}).encode()
        self.send_response(302 if self.server.leads_to else 200)
        if self.server.leads_to:
            self.send_header("Location", self.server.leads_to)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _answer

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    made = Proxy()
    thread = threading.Thread(target=made.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: Proxy) -> Path:
    """A workspace whose platform, notices and watcher are nowhere: only the proxy can reach them."""
    monkeypatch.syspath_prepend(install(tmp_path / "site"))
    monkeypatch.setenv("NOTIFY", "json://127.0.0.1:1/hook")
    monkeypatch.setenv("BEAT", "http://127.0.0.1:1/ping")
    monkeypatch.setenv("PROXY", f"http://cm:{PASSWORD}@127.0.0.1:{proxy.server_port}")
    masto = channel("page", platform="pretend", adapter="pretend", settings={"server": "http://127.0.0.1:1"})
    made = make_workspace(
        tmp_path / "w",
        {"masto": masto, "fb": channel("sand")},
        notify={"urls": ["env:NOTIFY"]},
        heartbeat_url="env:BEAT",
        network={"proxy": "env:PROXY"},
    )
    path = token_file(made, "masto")
    path.parent.mkdir()
    path.write_text("token", encoding="utf-8")
    path.chmod(0o600)
    return made


def configure(root: Path, **network: Any) -> None:
    data = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))
    data["network"] = network
    (root / "config.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")


def test_adapter_notices_and_watcher_go_through_the_proxy(root: Path, proxy: Proxy) -> None:
    desk = open_desk(root)
    try:
        assert desk.workspace.adapter("masto").check().handle == "page"
        set_hold(desk.env, reason="drill")
        notices.tell(desk.env)
        notices.ping(desk.env)
    finally:
        desk.close()
    assert [(method, path) for method, path, _login in proxy.asked] == [
        ("GET", "http://127.0.0.1:1/me"),
        ("POST", "http://127.0.0.1:1/hook"),
        ("GET", "http://127.0.0.1:1/ping"),
    ]
    login = "Basic " + base64.b64encode(f"cm:{PASSWORD}".encode()).decode()
    assert {login for _method, _path, login in proxy.asked} == {login}
    assert "HTTP_PROXY" not in os.environ
    assert "NO_PROXY" not in os.environ


def test_the_proxy_is_among_the_hosts_without_its_password(root: Path, run: Run) -> None:
    done = run("doctor", "--hosts", "--json", cwd=root)
    assert [(each["host"], each["purpose"], each["used_by"]) for each in done.json["hosts"]] == [
        ("127.0.0.1:1", "channel", "masto"),
        ("uploads.pretend.example", "channel", "masto"),
        ("127.0.0.1", "notify", "env:NOTIFY"),
        ("127.0.0.1", "heartbeat", "env:BEAT"),
        ("127.0.0.1", "proxy", "network"),
    ]
    assert PASSWORD not in done.out + run("doctor", cwd=root).out + run("channel", "check", "masto", cwd=root).err


def test_a_proxy_that_is_not_known_stops_what_needs_it_alone(
    root: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in (None, "no address", f"ftp://{PASSWORD}@127.0.0.1:1", f"http://{PASSWORD}@:99999"):
        monkeypatch.setenv("PROXY", value) if value else monkeypatch.delenv("PROXY")
        opened = open_workspace(root, as_system=True)
        try:
            assert opened.adapter("fb").check().handle
            with pytest.raises(WorkspaceError) as caught:
                opened.adapter("masto")
            assert PASSWORD not in str(caught.value)
        finally:
            opened.close()
        done = run("doctor", "--hosts", "--json", cwd=root)
        assert [each["host"] for each in done.json["hosts"] if each["purpose"] == "proxy"] == [None]
        assert PASSWORD not in done.out


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ({"proxy": f"http://cm:{PASSWORD}@proxy.example:3128"}, "a password never stands in this file"),
        ({"proxy": "proxy.example:3128"}, "write it as http://"),
        ({"proxy": "socks5://proxy.example:1080"}, "write it as http://"),
        ({"proxy": "http://proxy.example:99999"}, "write it as http://"),
        ({"proxy": "http://proxy.example/path"}, "write it as http://"),
        ({"timeout": 0}, "must be above 0"),
        ({"timeout": float("inf")}, "must be a number"),
        ({"colour": "red"}, "unknown field"),
    ],
)
def test_what_is_no_network(root: Path, network: dict[str, Any], said: str) -> None:
    configure(root, **network)
    (problem,) = check_config(root)
    assert said in problem.message
    assert problem.line
    assert PASSWORD not in str(problem)
    with pytest.raises(ConfigError):
        open_workspace(root)


def test_certificates_that_cannot_be_read_are_named_before_anything_is_sent(root: Path, proxy: Proxy) -> None:
    for content in (None, "no certificate"):
        configure(root, ca_bundle="hospital.pem")
        if content:
            (root / "hospital.pem").write_text(content, encoding="utf-8")
        (problem,) = check_config(root)
        assert "hospital.pem" in problem.message
        assert problem.field == "network.ca_bundle"
        desk = open_desk(root)
        try:
            ident = desk.add("Bonjour", to="masto")
            desk.tick()
            assert desk.state(ident) == "scheduled"
        finally:
            desk.close()
    assert proxy.asked == []


def test_certificates_and_patience_reach_the_adapter(root: Path, proxy: Proxy) -> None:
    (root / "hospital.pem").write_text(a_certificate(), encoding="utf-8")
    configure(root, ca_bundle="hospital.pem", timeout=7, proxy=f"http://127.0.0.1:{proxy.server_port}")
    assert check_config(root) == []
    opened = open_workspace(root, as_system=True)
    try:
        wanted = Network(f"http://127.0.0.1:{proxy.server_port}", root / "hospital.pem", 7)
        assert opened.env.network == wanted
        assert opened.adapter("masto")._http._network == wanted
    finally:
        opened.close()


def a_certificate() -> str:
    """One of those that Python finds on this machine or brings along."""
    import certifi

    text = Path(certifi.where()).read_text(encoding="utf-8")
    end = "-----END CERTIFICATE-----"
    certificate = text[text.index("-----BEGIN") : text.index(end) + len(end)]
    assert ssl.PEM_cert_to_DER_cert(certificate)
    return certificate + "\n"


def test_a_redirect_to_another_host_carries_no_token(proxy: Proxy) -> None:
    """Http follows none at all."""
    other = Proxy()
    thread = threading.Thread(target=other.serve_forever, args=(0.05,))
    thread.start()
    proxy.leads_to = f"http://127.0.0.1:{other.server_port}/elsewhere"
    http = Http(f"http://127.0.0.1:{proxy.server_port}", lambda: "token-canary")
    try:
        for method in ("GET", "POST"):
            with pytest.raises(ChannelError):
                http.call(method, "/me")
    finally:
        http.close()
        other.shutdown()
        thread.join()
        other.server_close()
    assert len(proxy.asked) == 2
    assert other.asked == []
