"""What stands on an account beside what a rewound database remembers: which post is which. Pure.

A post that stands there is adopted for a message only where each is the other's only candidate; twins and posts that
somebody wrote by hand stay apart that way. What was due by the last sending and is not found may have gone out, or
been taken down, or be listed late: a person looks. What is due later is safe, nothing of it was sent in its time.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cm.channels.port import Sighting, Sought
from cm.model.states import PostState

MARGIN = timedelta(minutes=15)
"""So much earlier than by our clock a post may stand there."""

LooksLike = Callable[[Sought, Sighting], bool]


@dataclass(frozen=True)
class Part:
    """A message of a post. `remote_id`: where it stands as far as the journal knows. `sought.parent` is filled in
    here, from where the message stands that it answers."""

    message_id: int
    sought: Sought
    remote_id: str | None = None
    done: bool = False
    """It stands there, or a person has it to paste."""


@dataclass(frozen=True)
class Question:
    """A post whose fate the journal may not know; `parts` in order."""

    post_id: int
    state: PostState
    due: datetime
    last_moment: datetime
    """After that it was not begun any more."""
    parts: tuple[Part, ...]
    doubt_since: datetime | None = None
    """The first sending whose answer is missing."""


@dataclass(frozen=True)
class Gap:
    """What the journal has lost: the sendings between its newest one (None: it knows of none) and the last of all."""

    start: datetime | None
    end: datetime


@dataclass(frozen=True)
class Adoption:
    """A message and the post on the platform that it surely is."""

    post_id: int
    message_id: int
    sighting: Sighting


@dataclass(frozen=True)
class Verdict:
    """`published`: posts of which every message is done now. `unconfirmed`: those that a person must settle. `strays`:
    what nobody owns."""

    adopted: tuple[Adoption, ...]
    published: tuple[int, ...]
    unconfirmed: tuple[int, ...]
    strays: tuple[Sighting, ...]


def judge(
    questions: Sequence[Question],
    sightings: Iterable[Sighting],
    owned: frozenset[str],
    looks_like: LooksLike,
    gap: Gap | None,
    *,
    shared: bool = False,
) -> Verdict:
    """`owned`: remote ids that the journal knows. `gap` None: the journal has lost nothing; then only what is
    unconfirmed already may be found. `shared`: another workspace posts there too, so that nothing in a listing is
    surely ours: what would be adopted is for a person."""
    unowned = list({each.remote_id: each for each in sightings if each.remote_id not in owned}.values())
    posts = {question.post_id: question for question in questions}
    adopted: list[Adoption] = []
    perhaps = {each.post_id for each in _pairs(posts.values(), unowned, looks_like, gap)} if shared else set()
    while not shared and (found := _pairs(posts.values(), unowned, looks_like, gap)):
        adopted += found
        taken = {each.sighting.remote_id for each in found}
        unowned = [sighting for sighting in unowned if sighting.remote_id not in taken]
        for each in found:
            posts[each.post_id] = _with(posts[each.post_id], each)
    touched = {each.post_id for each in adopted}
    order = {part.message_id: place for place, part in enumerate(part for post in questions for part in post.parts)}
    complete = {number for number in touched if all(part.done for part in posts[number].parts)}
    begun = touched | perhaps
    doubtful = [post.post_id for post in questions if _doubtful(post, gap, begun=post.post_id in begun)]
    return Verdict(
        tuple(sorted(adopted, key=lambda each: order[each.message_id])),
        tuple(sorted(complete)),
        tuple(number for number in doubtful if number not in complete),
        tuple(unowned),
    )


def _with(post: Question, adoption: Adoption) -> Question:
    return replace(
        post,
        parts=tuple(
            replace(part, remote_id=adoption.sighting.remote_id, done=True)
            if part.message_id == adoption.message_id
            else part
            for part in post.parts
        ),
    )


def _pairs(
    posts: Iterable[Question], unowned: Sequence[Sighting], looks_like: LooksLike, gap: Gap | None
) -> list[Adoption]:
    """Messages and posts on the platform that have only each other."""
    claims = [
        (post, Adoption(post.post_id, part.message_id, sighting))
        for post in posts
        if _asks(post, gap)
        for part in _seekable(post)
        for sighting in unowned
        if _may_be(post, sighting, gap) and sighting.parent == part.sought.parent and looks_like(part.sought, sighting)
    ]
    candidates = Counter(each.message_id for _post, each in claims)
    claimants = Counter(each.sighting.remote_id for _post, each in claims)
    return [
        each
        for post, each in claims
        if candidates[each.message_id] == claimants[each.sighting.remote_id] == 1
        and (gap or post.state is PostState.UNCONFIRMED)
    ]


def _asks(post: Question, gap: Gap | None) -> bool:
    """A journal that has lost nothing knows what it has not sent."""
    return gap is not None or post.state in (PostState.UNCONFIRMED, PostState.PUBLISHING, PostState.FAILED)


def _seekable(post: Question) -> list[Part]:
    """Messages not done whose place in the thread is known, with the post that they answer."""
    found = []
    for place, part in enumerate(post.parts):
        before = post.parts[0 if part.sought.role == "comment" else place - 1] if place else None
        parent = before.remote_id if before else None
        if not part.done and (before is None or parent is not None):
            found.append(replace(part, sought=replace(part.sought, parent=parent)))
    return found


def earliest(post: Question, gap: Gap | None) -> datetime | None:
    """Since when the post may stand there; None if there is no telling."""
    if gap is None:
        return (post.doubt_since or post.due) - MARGIN
    if gap.start is None:
        return None
    return min(gap.start, post.doubt_since or gap.start) - MARGIN


def _may_be(post: Question, sighting: Sighting, gap: Gap | None) -> bool:
    """It does not stand there since before it can have been sent."""
    since = earliest(post, gap)
    return since is None or sighting.published_at >= since


def _doubtful(post: Question, gap: Gap | None, *, begun: bool) -> bool:
    """It may have been sent in the gap, and nothing more can be found out. `begun`: a part of it was found now."""
    if begun and post.state is not PostState.UNCONFIRMED:
        return True
    if gap is None or post.due > gap.end:
        return False
    if post.state is PostState.MISSED:
        return gap.start is None or post.last_moment >= gap.start
    return post.state in (PostState.SCHEDULED, PostState.PUBLISHING)
