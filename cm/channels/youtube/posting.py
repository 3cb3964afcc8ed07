"""The bodies: a film's description, and a first comment."""

from cm.channels.port import Json, Outgoing
from cm.channels.text import with_link
from cm.channels.youtube.limits import description, title

PARTS = "snippet,status"
"""Each part that is named is replaced whole: what a body leaves out of it is cleared."""
KEPT = ("tags", "categoryId", "defaultLanguage", "defaultAudioLanguage")
"""Of a film's snippet, beside title and description: all that a change would clear."""


def film(message: Outgoing, privacy: str, *, category: str, tags: tuple[str, ...], kids: bool, synthetic: bool) -> Json:
    """A film's whole description. Who may see it is always said: left out, it would be everybody."""
    snippet: Json = {"title": title(message), "description": description(message), "categoryId": category}
    if tags:
        snippet["tags"] = list(tags)
    if message.language:
        snippet["defaultLanguage"] = message.language
    status = {
        "privacyStatus": privacy,
        "selfDeclaredMadeForKids": kids,
        "containsSyntheticMedia": synthetic,
        "embeddable": True,
        "license": "youtube",
        "publicStatsViewable": True,
    }
    return {"snippet": snippet, "status": status}


def comment(channel: str, video: str, message: Outgoing) -> Json:
    """A comment below a film, with its link in the text."""
    said = {"snippet": {"textOriginal": with_link(message.text, message.link)}}
    return {"snippet": {"channelId": channel, "videoId": video, "topLevelComment": said}}


def changed(snippet: Json, message: Outgoing) -> Json:
    """A film's snippet with the words of the message, and all else as it is."""
    kept = {name: snippet[name] for name in KEPT if name in snippet}
    return {**kept, "title": title(message), "description": description(message)}
