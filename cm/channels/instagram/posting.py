"""The one call that makes a message public: `media_publish` of a container, or a comment.

A body is `{"call": "publish" | "comment", "to": id of the account or of the post answered, "params": {…}}`. The
container's id does what a key would: it is published once, and its status says whether it was. (The SDK's table for
Instagram's own login writes `mediapublish`; every page of the documentation `media_publish`, which is used.)
"""

from contextlib import suppress
from datetime import datetime

from cm.channels.http import instant
from cm.channels.meta import Graph, Missing, node
from cm.channels.port import ChannelError, Json, Outgoing, Receipt, Rejected, Retryable, UnknownOutcome
from cm.channels.text import with_link
from cm.i18n import _

EDGES = {"publish": "media_publish", "comment": "comments"}


def of_container(user: str, container: str) -> Json:
    """The request that publishes a container."""
    return {"call": "publish", "to": user, "params": {"creation_id": container}}


def of_comment(message: Outgoing) -> Json:
    """The request that writes a comment. Raises Rejected for an id that is none."""
    text = with_link(message.text, message.link)
    return {"call": "comment", "to": node(message.parent or ""), "params": {"message": text}}


def send(graph: Graph, given: Json) -> Receipt:
    """Make it public. Raises ChannelError; Retryable for a container that is gone, for another one can be made."""
    try:
        reply = graph.call("POST", f"{given['to']}/{EDGES[given['call']]}", mode="sending", json=given["params"])
    except Missing as error:
        if given["call"] == "publish":
            raise Retryable(error.reason) from None
        raise Rejected(error.reason, field="parent") from None
    remote_id = reply.json.get("id") if isinstance(reply.json, dict) else None
    if not isinstance(remote_id, str) or not remote_id or reply.date is None:
        raise UnknownOutcome(_("{server} answered without the new post").format(server=graph.name))
    if given["call"] == "comment":
        return Receipt(remote_id, None, reply.date)
    return _receipt(graph, remote_id, reply.date)


def _receipt(graph: Graph, remote_id: str, at: datetime) -> Receipt:
    """With the post's own time and address, if it can be read."""
    told: Json = {}
    with suppress(ChannelError):
        told = graph.get(node(remote_id), "permalink,timestamp")
    return Receipt(remote_id, permalink(told), instant(told.get("timestamp")) or at)


def permalink(told: Json) -> str | None:
    """Where it can be seen, if the answer tells an address that is one."""
    url = told.get("permalink")
    return url if isinstance(url, str) and url.startswith("https://") else None
