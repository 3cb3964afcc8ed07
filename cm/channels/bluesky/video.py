"""Films go to a service of their own, which works on them and puts them on the account's server.

The server signs a token for `uploadBlob` in the service's name (`getServiceAuth`, at most an hour ahead), the film is
sent with it, and the job is asked for until it is done. Facts that the lexicons (2026-08-20) lack: the service answers
with the job itself, without the `jobStatus` around it, and with 409 `already_exists` for a film it had before, whose
job still leads to the blob (docs.bsky.app, tutorial "Uploading Video"; @atproto/api).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

from cm.channels.bluesky.errors import refusal
from cm.channels.bluesky.limits import VIDEO
from cm.channels.bluesky.session import ANY_REFUSAL, Session, home
from cm.channels.http import Http, Reply
from cm.channels.media import neutral_name
from cm.channels.port import AuthFailed, ChannelError, Json, Media, Network, Rejected, Retryable
from cm.channels.text import shown
from cm.i18n import _

SIGNED_FOR = timedelta(minutes=30)
DONE, FAILED = "JOB_STATE_COMPLETED", "JOB_STATE_FAILED"
BAD = frozenset({"validation_failure", "encoding_failure", "pds_upload_unsupported_blob_size"})
"""Failures that the film itself is to blame for."""


class Failed(Retryable):
    """The work on a film failed there, not because of the film: it must be sent again."""


@dataclass(frozen=True)
class Film:
    """Where a film stands: its blob, or the job that works on it. `heard`: the service's time."""

    job: str
    blob: Json | None
    heard: datetime | None


class Films:
    """The film service, for one account."""

    def __init__(self, session: Session, service: str, network: Network) -> None:
        self._session = session
        self._service = service
        self._network = network

    @property
    def host(self) -> str:
        """The service's host."""
        return urlsplit(self._service).netloc

    def upload(self, file: BinaryIO, media: Media, now: datetime) -> Film:
        """Send a film. Raises ChannelError."""
        values = self._session.values()
        token = self._token(home(values, self._session.http.base_url), now)
        http = Http(self._service, lambda: token, network=self._network)
        query = [("did", values["did"]), ("name", neutral_name(media))]
        headers = {"Content-Type": VIDEO}
        try:
            path = "/xrpc/app.bsky.video.uploadVideo"
            reply = http.call("POST", path, query=query, content=file, headers=headers, accept=ANY_REFUSAL)
            if reply.status >= 400 and not _job(reply).get("jobId"):
                raise _refusal(http, reply)
        finally:
            http.close()
        return self._film(reply)

    def ask(self, job: str) -> Film:
        """Where the work on a film stands. Raises ChannelError."""
        http = Http(self._service, network=self._network)
        try:
            reply = http.call("GET", "/xrpc/app.bsky.video.getJobStatus", query=[("jobId", job)], accept=ANY_REFUSAL)
            if reply.status >= 400:
                raise _refusal(http, reply)
        finally:
            http.close()
        return self._film(reply)

    def _token(self, server: str, now: datetime) -> str:
        audience = f"did:web:{quote(urlsplit(server).netloc, safe='')}"
        ends = int((now + SIGNED_FOR).timestamp())
        asked = [("aud", audience), ("lxm", "com.atproto.repo.uploadBlob"), ("exp", str(ends))]
        told = self._session.query("com.atproto.server.getServiceAuth", asked).json
        token = told.get("token") if isinstance(told, dict) else None
        if not isinstance(token, str):
            raise Retryable(_("{server} gave an answer of another shape").format(server=self._session.http.name))
        return token

    def _film(self, reply: Reply) -> Film:
        job = _job(reply)
        name, blob = self.host, job.get("blob")
        if isinstance(blob, dict):
            return Film(str(job.get("jobId", "")), blob, reply.date)
        if job.get("state") == FAILED:
            said = shown(str(job.get("message") or job.get("error") or job.get("failureCode") or ""))
            reason = _("{server} cannot use this film: {said}").format(server=name, said=said)
            raise Rejected(reason, field="media") if job.get("failureCode") in BAD else Failed(reason)
        if not job.get("jobId") or job.get("state") == DONE:
            raise Retryable(_("{server} gave an answer of another shape").format(server=name))
        return Film(str(job["jobId"]), None, reply.date)


def _refusal(http: Http, reply: Reply) -> ChannelError:
    """An account that may not send films (address not confirmed, too new) may still post: its login is in order."""
    error = refusal(http, reply)
    return Rejected(error.reason, field="media") if isinstance(error, AuthFailed) else error


def _job(reply: Reply) -> Mapping[str, Any]:
    """The job, whether it stands in `jobStatus` or alone."""
    told = reply.json if isinstance(reply.json, dict) else {}
    inner = told.get("jobStatus")
    return inner if isinstance(inner, dict) else told
