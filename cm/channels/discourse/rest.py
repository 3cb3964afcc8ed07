"""Calls of one forum, with its own errors."""

from collections.abc import Collection, Mapping, Sequence

from cm.channels.discourse import errors
from cm.channels.http import Http, Mode, Reply, Upload
from cm.channels.port import Json, Retryable
from cm.i18n import _


class Rest:
    """One forum, spoken to as one of its users."""

    def __init__(self, http: Http) -> None:
        self.http = http

    def call(
        self,
        method: str,
        path: str,
        *,
        mode: Mode = "reading",
        query: Sequence[tuple[str, str]] = (),
        json: Json | None = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, Upload] | None = None,
        accept: Collection[int] = (),
    ) -> Reply:
        """One request; statuses of `accept` are given back. Raises ChannelError."""
        every = {*range(400, 500), 503, *accept}
        reply = self.http.call(method, path, mode=mode, query=query, json=json, form=form, files=files, accept=every)
        if reply.status >= 400 and reply.status not in accept:
            raise errors.refused(self.http, reply, mode, json)
        return reply

    def object(self, reply: Reply) -> Json:
        """The answer's body. Raises Retryable if it is no object."""
        if not isinstance(reply.json, dict):
            raise Retryable(_("{server} gave an answer of another shape").format(server=self.http.name))
        return reply.json
