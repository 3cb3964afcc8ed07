"""A platform with OAuth 2 on 127.0.0.1, and the package of an adapter for it, as a third party would ship it.

The server behaves as RFC 6749, 7009 and 7636 want it: codes and refresh tokens have one use, the verifier is compared.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from support_canary import CANARY, secret

APP, APP_SECRET = "app-of-the-hospital", secret("app-secret")
HANDLES = {"page": "1001", "other": "1002"}

ADAPTER = '''
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from cm.channels.http import Http, instant
from cm.channels.oauth import OAuth2
from cm.channels.port import (
    AccountInfo, Ask, AuthFailed, Capabilities, Identity, Prepared, Receipt,
)


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    server: str


class Pretend:
    """Publishes on the pretended platform."""

    Settings: ClassVar[type[BaseModel]] = Settings
    capabilities: ClassVar[Capabilities] = Capabilities("pretend", threads=False)
    hosts: ClassVar[tuple[str, ...]] = ("uploads.pretend.example",)

    def __init__(self, context):
        server = context.settings.server
        self._account = context.account
        self._credentials = context.credentials
        self._oauth = OAuth2(f"{server}/authorize", f"{server}/token", ("write",), f"{server}/revoke")
        self._http = Http(server, network=context.network, authorize=self._authorize)

    def _authorize(self, method, url):
        values = self._credentials.fresh(lambda stored: self._oauth.renew(self._http, stored))
        token = values.get("access_token")
        return {"Authorization": f"Bearer {token}"} if token else {}

    def identity(self):
        return Identity("pretend", self._http.name, self._account)

    def check(self):
        reply = self._http.call("GET", "/me")
        if reply.json["handle"] != self._account and not reply.json["handle"].startswith(self._account):
            raise AuthFailed(f"the token belongs to {reply.json['handle']}")
        ends = instant(self._credentials.read().get("expires_at"))
        return AccountInfo(reply.json["id"], reply.json["handle"], token_expires_at=ends)

    def prepare(self, message, saved):
        return Prepared({"text": message.text})

    def send(self, prepared, *, key):
        reply = self._http.call("POST", "/posts", mode="sending", json=prepared.body)
        return Receipt(reply.json["id"], None, instant("2026-11-23T08:00:00Z"))

    def close(self):
        self._http.close()


class PretendWithLogin(Pretend):
    """The same, and a person can log in."""

    def login_asks(self):
        return (
            Ask("client_id", "App id"),
            Ask("client_secret", "App secret", secret=True, hint="on the page of the app"),
            Ask("note", "Note", optional=True),
        )

    def login_begin(self, given, *, redirect_uri):
        return self._oauth.visit(given, redirect_uri)

    def login_finish(self, given, visit, answer):
        return self._oauth.finish(self._http, given, visit, answer)

    def logout(self, values):
        self._oauth.revoke(self._http, values)
'''


def install(site: Path) -> Path:
    """The package, to be found by whoever has `site` on their path: adapters `pretend` and `pretend-plain`."""
    metadata = site / "cm_pretend-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "cm_pretend.py").write_text(ADAPTER, encoding="utf-8")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: cm-pretend\nVersion: 1.0\n", encoding="utf-8")
    points = "[cm.channels]\npretend = cm_pretend:PretendWithLogin\npretend-plain = cm_pretend:Pretend\n"
    (metadata / "entry_points.txt").write_text(points, encoding="utf-8")
    return site


class Platform(ThreadingHTTPServer):
    """What it knows: who is logged in, which codes and tokens are good."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Pages)
        self.handle = "page"
        self.lifetime: int | None = 3600
        self.codes: dict[str, tuple[str, str]] = {}
        self.refresh: set[str] = set()
        self.access: dict[str, str] = {}
        self.used: list[str] = []
        self.posts: list[str] = []
        self.given = 0
        self.broken: dict[str, int] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def says_yes(self, url: str) -> str:
        """What happens when a person visits that page and says yes: where the browser is sent."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert asked["client_id"] == APP
        self.given += 1
        code = f"code-{self.given}-{CANARY}"
        self.codes[code] = (asked["code_challenge"], asked["redirect_uri"])
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def grant(self) -> dict[str, Any]:
        self.given += 1
        access, refresh = (f"{name}-{self.given}-{CANARY}" for name in ("access", "refresh"))
        self.access[access] = self.handle
        self.refresh.add(refresh)
        lifetime = {"expires_in": self.lifetime} if self.lifetime else {}
        return {"access_token": access, "refresh_token": refresh, "token_type": "bearer", **lifetime}

    def token(self, form: dict[str, str]) -> tuple[int, Any]:
        """The token endpoint."""
        if (form.get("client_id"), form.get("client_secret")) != (APP, APP_SECRET):
            return 401, {"error": "invalid_client", "error_description": f"bad secret {form.get('client_secret')}"}
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.refresh:
                return 400, {"error": "invalid_grant", "error_description": f"unknown {form['refresh_token']}"}
            self.refresh.remove(form["refresh_token"])
            self.used.append(form["refresh_token"])
            return 200, self.grant()
        challenge, redirect = self.codes.pop(form["code"], ("", ""))
        digest = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if digest.decode() != challenge or form["redirect_uri"] != redirect:
            return 400, {"error": "invalid_grant", "error_description": f"wrong code {form['code']}"}
        return 200, self.grant()

    def revoke(self, form: dict[str, str]) -> tuple[int, Any]:
        self.refresh.discard(form["token"])
        self.access.pop(form["token"], None)
        return 200, {}


class _Pages(BaseHTTPRequestHandler):
    server: Platform

    def do_GET(self) -> None:
        handle = self.server.access.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if handle is None:
            self._say(401, {"error": "no such token"})
        else:
            self._say(200, {"id": HANDLES[handle], "handle": handle})

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/posts":
            self.server.posts.append(json.loads(data)["text"])
            self._say(200, {"id": str(len(self.server.posts))})
        else:
            answer = {"/token": self.server.token, "/revoke": self.server.revoke}[self.path]
            self._say(*answer(dict(parse_qsl(data))))

    def _say(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(self.server.broken.get(self.path, status))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def platform() -> Iterator[Platform]:
    """The server, until the end of the block."""
    server = Platform()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
