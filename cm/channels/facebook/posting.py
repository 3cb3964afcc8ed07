"""The one call that makes a message public: on the Page's feed, as a reel, or as a comment.

A body is `{"call": "feed" | "reel" | "comment", "to": id of the Page or of the post answered, "params": {…}}` and,
for a reel, `"since"`: when its upload began, by Facebook's clock. A reel's remote id is that of its video, which is
known before it is sent; whether `finish` tells a post id is not confirmed.

Trap (reported 2026-09-03): a film that Facebook already knows may "succeed" with the old reel, and nothing new is
published. Therefore a reel is looked at once more after it was sent, for a few seconds at most: one from before its own
upload is a Duplicate, and one that does not answer is published at the address that every reel has.
"""

from contextlib import suppress
from datetime import datetime, timedelta

from cm.channels.facebook.limits import VIDEO, is_comment
from cm.channels.facebook.uploads import Uploaded
from cm.channels.http import Reply, instant
from cm.channels.meta import Graph, Missing, node
from cm.channels.port import ChannelError, Duplicate, Json, Outgoing, Receipt, Rejected, UnknownOutcome
from cm.channels.text import with_link
from cm.i18n import _

EDGES = {"feed": "feed", "reel": "video_reels", "comment": "comments"}
AFTERWARDS = "id,permalink_url,created_time"
EARLIER = timedelta(minutes=5)
"""A reel this much older than its upload is another one."""


def body(page: str, message: Outgoing, uploaded: Uploaded) -> Json:
    """The complete request. Raises Rejected for an id that is none."""
    if is_comment(message):
        return {"call": "comment", "to": node(message.parent or ""), "params": _comment(message, uploaded)}
    if message.media and message.media[0].mime in VIDEO:
        since = uploaded.since.isoformat() if uploaded.since else None
        return {"call": "reel", "to": page, "since": since, "params": _reel(message, uploaded)}
    return {"call": "feed", "to": page, "params": _post(message, uploaded)}


def _post(message: Outgoing, uploaded: Uploaded) -> Json:
    """Photos with their text, or a text with a link that Facebook shows as a card."""
    if uploaded.ids:
        photos = [{"media_fbid": photo} for photo in uploaded.ids]
        return {"message": with_link(message.text, message.link), "attached_media": photos, "published": True}
    params: Json = {"message": message.text, "link": message.link, "published": True}
    return {name: value for name, value in params.items() if value}


def _reel(message: Outgoing, uploaded: Uploaded) -> Json:
    params: Json = {
        "upload_phase": "finish",
        "video_id": uploaded.ids[0],
        "video_state": "PUBLISHED",
        "description": with_link(message.text, message.link),
        "title": message.fields.get("title"),
    }
    return {name: value for name, value in params.items() if value}


def _comment(message: Outgoing, uploaded: Uploaded) -> Json:
    params: Json = {"message": with_link(message.text, message.link)}
    return {**params, "attachment_id": uploaded.ids[0]} if uploaded.ids else params


def send(graph: Graph, given: Json) -> Receipt:
    """Make it public. Raises ChannelError."""
    query = [] if given["call"] == "reel" else [("fields", AFTERWARDS)]
    try:
        reply = graph.call(
            "POST", f"{given['to']}/{EDGES[given['call']]}", mode="sending", query=query, json=given["params"]
        )
    except Missing as error:
        field = {"comment": "parent", "reel": "media"}.get(given["call"])
        raise Rejected(error.reason, field=field) from None
    return _of_reel(graph, given, reply) if given["call"] == "reel" else _of_post(graph, reply)


def _of_post(graph: Graph, reply: Reply) -> Receipt:
    told = reply.json if isinstance(reply.json, dict) else {}
    published_at = instant(told.get("created_time")) or reply.date
    remote_id = told.get("id")
    if not isinstance(remote_id, str) or not remote_id or published_at is None:
        raise UnknownOutcome(_("{server} answered without the new post").format(server=graph.name))
    return Receipt(remote_id, permalink(told), published_at)


def _of_reel(graph: Graph, given: Json, reply: Reply) -> Receipt:
    """The reel as it stands there now; if it cannot be read at once, the answer to `finish` has to do."""
    told = reply.json if isinstance(reply.json, dict) else {}
    if told.get("success") is not True or reply.date is None:
        raise UnknownOutcome(_("{server} answered without the new reel").format(server=graph.name))
    video, now = str(given["params"]["video_id"]), {}
    with suppress(ChannelError):
        now = graph.glance(node(video), "permalink_url,created_time")
    address = permalink(now) or f"https://www.facebook.com/reel/{video}"
    if older(now, given):
        reason = _("{server} already has this film, as {url}, and has published nothing new.")
        raise Duplicate(reason.format(server=graph.name, url=address), existing=video)
    return Receipt(video, address, reply.date)


def older(video: Json, given: Json) -> bool:
    """True for a reel that was there before this film was uploaded."""
    created, since = instant(video.get("created_time")), instant(given.get("since"))
    return created is not None and since is not None and created < since - EARLIER


def permalink(told: Json) -> str | None:
    """Where it can be seen, if the answer tells an address that is one; Facebook gives some without its own name."""
    url = told.get("permalink_url")
    if not isinstance(url, str):
        return None
    if url.startswith("/") and not url.startswith("//"):
        return f"https://www.facebook.com{url}"
    return url if url.startswith("https://") else None


def moment(told: Json) -> datetime | None:
    """When it was made."""
    return instant(told.get("created_time"))
