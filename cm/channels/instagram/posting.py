"""The one call that makes a message public: `media_publish` of a container, or a comment.

A body is `{"call": "publish" | "comment", "to": id of the account or of the post answered, "params": {…}}` and, for a
container, `"saved"`: what `prepare` is to go on with if the call is refused. The container's id does what a key would:
it is published once, and its status says whether it was; a second container would be a second post. Therefore what was
refused goes on with the same one, which `prepare` asks after first, and a server error while publishing is an unknown
outcome, which `find` settles by the container's status once the call can no longer be at work there. (The SDK's table
for Instagram's own login writes `mediapublish`; every page of the documentation `media_publish`, which is used.)
"""

from cm.channels.instagram.uploads import Ready, status
from cm.channels.meta import Graph, Missing, node
from cm.channels.port import ChannelError, Json, Outgoing, Receipt, Rejected, Retryable, UnknownOutcome
from cm.channels.text import with_link
from cm.i18n import _

EDGES = {"publish": "media_publish", "comment": "comments"}
UNPUBLISHED = frozenset({"IN_PROGRESS", "FINISHED", "EXPIRED"})
"""Status codes of a container that no call has published."""


def of_container(user: str, made: Ready) -> Json:
    """The request that publishes a container."""
    return {"call": "publish", "to": user, "params": {"creation_id": made.container}, "saved": made.saved}


def of_comment(message: Outgoing) -> Json:
    """The request that writes a comment. Raises Rejected for an id that is none."""
    text = with_link(message.text, message.link)
    return {"call": "comment", "to": node(message.parent or ""), "params": {"message": text}}


def send(graph: Graph, given: Json) -> Receipt:
    """Make it public; after a success nothing is asked, so that a post's address stays unknown. Raises ChannelError."""
    try:
        reply = graph.call("POST", f"{given['to']}/{EDGES[given['call']]}", mode="sending", json=given["params"])
    except ChannelError as error:
        raise _settled(graph, given, error) from None
    remote_id = reply.json.get("id") if isinstance(reply.json, dict) else None
    if not isinstance(remote_id, str) or not remote_id or reply.date is None:
        reason = _("{server} answered without the new post").format(server=graph.name)
        raise UnknownOutcome(reason, saved=_kept(given))
    return Receipt(remote_id, None, reply.date)


def _settled(graph: Graph, given: Json, error: ChannelError) -> ChannelError:
    """What an error means; a container that was refused, or is said not to be there, is asked whether it is public."""
    if given["call"] == "comment":
        return Rejected(error.reason, field="parent") if isinstance(error, Missing) else error
    code = _code(graph, given) if isinstance(error, Missing | Retryable) else ""
    if code == "PUBLISHED" or (isinstance(error, Missing) and code not in UNPUBLISHED):
        error = UnknownOutcome(error.reason)
    elif isinstance(error, Missing):
        error = Retryable(error.reason)
    error.saved = _kept(given, refused=isinstance(error, Retryable))
    return error


def _code(graph: Graph, given: Json) -> str:
    """The container's status code; empty where it does not tell at once."""
    try:
        return status(graph, str(given["params"]["creation_id"]), hurried=True)[0]
    except ChannelError:
        return ""


def _kept(given: Json, *, refused: bool = False) -> Json | None:
    """What `prepare` is to go on with; None for a comment."""
    if "saved" not in given:
        return None
    *parts, whole = given["saved"]["containers"]
    return {"containers": [*parts, {**whole, "refused": whole.get("refused", 0) + refused}]}


def permalink(told: Json) -> str | None:
    """Where it can be seen, if the answer tells an address that is one."""
    url = told.get("permalink")
    return url if isinstance(url, str) and url.startswith("https://") else None
