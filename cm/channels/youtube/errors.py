"""What Google's refusals mean.

The body is `{"error": {"code", "message", "errors": [{"domain", "reason", "message"}], "status", "details"}}`; the
reason counts, not the status: 403 may be a used-up day, a missing right or comments that are switched off. Days are
those of the Pacific coast. A server error while something is being sent is an unknown outcome whatever its reason, a
refusal (4xx) never is. Reasons: errors pages of the Data API, global and for each method (reference of
2026-11-21); quota belongs to the developer project, the cap of uploads to the channel.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cm.channels.http import MAX_WAIT, Http, Mode, Reply, retry_after
from cm.channels.port import AuthFailed, ChannelError, RateLimited, Rejected, Retryable, UnknownOutcome
from cm.channels.text import shown
from cm.i18n import N_, _

ANY_REFUSAL = range(400, 600)
"""Statuses that this module understands better than `Http` does."""
A_DAY = 24 * 3600.0
_PACIFIC = "America/Los_Angeles"
_TAG = re.compile(r"<[^<>]*>")
Kind = Literal["later", "app", "account", "today", "upload_cap", "auth", "content", "gone"]


@dataclass(frozen=True)
class Meaning:
    """`later`: their trouble; `app`, `account`: too fast; `today`: the project's quota; `gone`: not there any more."""

    kind: Kind
    field: str | None = None
    hint: str = ""


class Missing(Rejected):
    """What was asked for is not there, or not for this login."""


_LOG_IN = N_("log in again with `cm channel login`")
_RIGHT = N_("a right is missing: log in again with `cm channel login` and allow all that is asked")
_ACCOUNT = N_("look at the account on YouTube")
_PROJECT = N_("switch the YouTube Data API v3 on for the project in the Google Cloud console")
_KEY = N_("the project in the Google Cloud console refuses the request")
_SETTING = N_("change it in the settings of this channel")


def _all(names: str, meaning: Meaning) -> dict[str, Meaning]:
    return dict.fromkeys(names.split(), meaning)


KNOWN: Mapping[str, Meaning] = {
    **_all("backendError internalError backendNotConnected notReady SERVICE_UNAVAILABLE conflict", Meaning("later")),
    **_all("quotaExceeded dailyLimitExceeded dailyLimitExceededUnreg quotaExceeded402", Meaning("today")),
    **_all("dailyLimitExceeded402 variableTermExpiredDailyExceeded variableTermLimitExceeded", Meaning("today")),
    **_all("rateLimitExceeded rateLimitExceededUnreg concurrentLimitExceeded", Meaning("app")),
    **_all("servingLimitExceeded limitExceeded RATE_LIMIT_EXCEEDED", Meaning("app")),
    **_all("userRateLimitExceeded userRateLimitExceededUnreg uploadRateLimitExceeded", Meaning("account")),
    "uploadLimitExceeded": Meaning("upload_cap"),
    **_all("authError expired lockedDomainExpired authorizationRequired", Meaning("auth", hint=_LOG_IN)),
    **_all("unauthorized invalidCredentials ACCESS_TOKEN_EXPIRED", Meaning("auth", hint=_LOG_IN)),
    **_all("insufficientPermissions insufficientScopes forbidden", Meaning("auth", hint=_RIGHT)),
    **_all("ACCESS_TOKEN_SCOPE_INSUFFICIENT insufficientAudience", Meaning("auth", hint=_RIGHT)),
    **_all("insufficientAuthorizedParty insufficientCapabilities", Meaning("auth", hint=_RIGHT)),
    **_all("accountDelegationForbidden lockedDomainForbidden unknownAuth", Meaning("auth", hint=_RIGHT)),
    **_all("authenticatedUserAccountClosed authenticatedUserAccountSuspended", Meaning("auth", hint=_ACCOUNT)),
    **_all("authenticatedUserNotChannel channelClosed channelSuspended", Meaning("auth", hint=_ACCOUNT)),
    **_all("accountDeleted accountDisabled accountUnverified ineligibleAccount", Meaning("auth", hint=_ACCOUNT)),
    "youtubeSignupRequired": Meaning("auth", hint=N_("this Google account has no YouTube channel: make one first")),
    **_all("accessNotConfigured SERVICE_DISABLED", Meaning("auth", hint=_PROJECT)),
    **_all("keyExpired keyInvalid user402 sslRequired", Meaning("auth", hint=_KEY)),
    **_all("videoNotFound commentNotFound commentThreadNotFound parentCommentNotFound", Meaning("gone")),
    **_all("channelNotFound playlistNotFound captionNotFound notFound deleted", Meaning("gone")),
    "invalidTitle": Meaning("content", "title"),
    "invalidDescription": Meaning("content", "text"),
    **_all("invalidTags invalidCategoryId", Meaning("content", hint=_SETTING)),
    **_all("defaultLanguageNotSet unsupportedLanguageCode languageRequired", Meaning("content", "language")),
    **_all("forbiddenPrivacySetting", Meaning("content", "visibility")),
    **_all("forbiddenLicenseSetting forbiddenEmbedSetting", Meaning("content")),
    **_all("mediaBodyRequired invalidFilename uploadTooLarge emptyFile", Meaning("content", "media")),
    **_all("unsupportedMediaProtocol wrongUrlForUpload notUpload", Meaning("content", "media")),
    **_all("contentRequired captionExists invalidMetadata nameTooLong", Meaning("content", "captions")),
    "commentsDisabled": Meaning("content", "parent", N_("comments are switched off for this film")),
    **_all("commentTextRequired commentTextTooLong", Meaning("content", "text")),
    **_all("processingFailure operationNotSupported invalidCommentThreadMetadata", Meaning("content")),
    **_all("invalidCommentMetadata channelOrVideoIdMissing invalidCustomEmoji", Meaning("content")),
    **_all("invalidVideoMetadata invalidPublishAt invalidRecordingDetails", Meaning("content")),
    **_all("invalidVideoGameRating incompatibleParameters invalidPageToken", Meaning("content")),
    **_all("missingRequiredParameter invalidValue invalidParameter badRequest", Meaning("content")),
}
"""By `errors[0].reason`, or the reason of `details` in Google's newer style."""


def refusal(http: Http, reply: Reply, mode: Mode = "reading") -> ChannelError:
    """What an answer of 400 and more means."""
    said = shown(_TAG.sub("", reply.message))
    code = reason_of(reply)
    meaning = KNOWN.get(code)
    if meaning is None:
        return http.refusal(replace(reply, message=f"{said} ({code})" if code else said), mode)
    reason = f"{http.name}: {reply.status} {said} ({code})"
    return _as_error(meaning, f"{reason}; {_(meaning.hint)}" if meaning.hint else reason, reply, mode)


def reason_of(reply: Reply) -> str:
    """Google's word for what is wrong; empty where it names none."""
    body = reply.json if isinstance(reply.json, dict) else {}
    told = body.get("error")
    told = told if isinstance(told, dict) else {}
    several = [*_objects(told.get("errors")), *_objects(told.get("details"))]
    words = (each.get("reason") for each in several)
    return next((word for word in words if isinstance(word, str) and re.fullmatch(r"\w{1,60}", word)), "")


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _as_error(meaning: Meaning, reason: str, reply: Reply, mode: Mode) -> ChannelError:
    if mode == "sending" and reply.status >= 500:
        return UnknownOutcome(reason)
    match meaning.kind:
        case "later":
            return Retryable(reason)
        case "app" | "account":
            return RateLimited(reason, retry_after=retry_after(reply.headers), scope=meaning.kind)
        case "today":
            return RateLimited(reason, retry_after=until_midnight(reply.date), scope="app")
        case "upload_cap":
            return RateLimited(reason, retry_after=A_DAY)
        case "auth":
            return AuthFailed(reason)
        case "gone":
            return Missing(reason, field=meaning.field)
        case "content":
            return Rejected(reason, field=meaning.field)


def until_midnight(now: datetime | None) -> float | None:
    """Seconds until the day ends on the Pacific coast; None without a time to count from."""
    if now is None:
        return None
    here = now.astimezone(ZoneInfo(_PACIFIC))
    midnight = datetime.combine(here.date() + timedelta(days=1), time(), here.tzinfo)
    return min((midnight.astimezone(now.tzinfo) - now).total_seconds(), MAX_WAIT)
