"""How X counts a text: weighted length by twitter-text's configuration v3 (in force since 2018, read 2026-08-22).

A character of Latin, Greek, Cyrillic, Arabic… and most punctuation weighs 1, everything else 2; an emoji weighs 2
however many characters it is made of; an address weighs 23 however long it is, with a scheme or, where its last
part is a top-level domain, without one. The text is counted in NFC.

Where sources contradict: twitter-text 3.1.0 for JavaScript knows the emoji of Unicode 11, its port for Python those
of 12, X's guide (2026-08-22) says that every emoji counts 2. Here an emoji that the libraries do not know yet counts
2 as well. `©` alone weighs 1 as in JavaScript (the port says 2), `©` as an emoji 2. Host names of more than 12 parts,
or with parts of more than 63 characters, are no addresses here, so that hostile text costs little time.
"""

import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import regex

from cm.channels.x.domains import top_level

MOST = 280
"""The longest post, in weights."""
URL_WEIGHT = 23
"""What an address weighs."""
LONGEST_URL = 4096
"""Characters; what is longer is text."""
PARTS = 10
"""Subdomains that a host name may have here."""
LONGEST_SLUG = 40
"""Characters of a t.co address behind its slash; what is longer is text."""
INVALID = frozenset("\ufffe\ufeff\uffff")
"""Characters that make a post invalid."""

_LIGHT = regex.compile(r"[\u0000-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")
_FLAGS = (
    "AC AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CP CR CU CV CW CX CY CZ DE DG DJ DK DM DO DZ EA EC EE EG EH ER ES ET EU FI FJ "
    "FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU IC ID IE IL IM IN IO IQ IR "
    "IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM "
    "MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT "
    "PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TF TG TH TJ TK TL "
    "TM TN TO TR TT TV TW TZ UA UG UM UN US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
)


@dataclass(frozen=True)
class Address:
    """An address as X sees it: `start` to `end` in the text in NFC."""

    start: int
    end: int


def weighted(text: str) -> int:
    """The weighted length; at most MOST fit into a post."""
    text = unicodedata.normalize("NFC", text)
    found = list(_addresses(text))
    edges = [0, *(edge for each in found for edge in (each.start, each.end)), len(text)]
    between = (text[start:end] for start, end in list(pairwise(edges))[::2])
    return URL_WEIGHT * len(found) + sum(map(_weight, between))


def addresses(text: str) -> list[str]:
    """The addresses that X will shorten and bill, as they are written (in NFC)."""
    text = unicodedata.normalize("NFC", text)
    return [text[each.start : each.end] for each in _addresses(text)]


def _weight(text: str) -> int:
    """Of a text without addresses."""
    rest: str
    emoji: int
    rest, emoji = _emoji().subn("", text)
    light: int = len(_LIGHT.findall(rest))
    return 2 * emoji + light + 2 * (len(rest) - light)


def _addresses(text: str) -> Iterator[Address]:
    if "." not in text:
        return
    for match in _url().finditer(text):
        whole = Address(*match.span("url"))
        if whole.end - whole.start > LONGEST_URL:
            continue
        if match["scheme"]:
            yield from _with_scheme(match, whole)
        elif match["before"][-1:] not in ("-", "_", ".", "/"):
            yield from _without_scheme(match, whole)


def _with_scheme(match: "regex.Match[str]", whole: Address) -> Iterator[Address]:
    """As it is; X's own short addresses end where their path does."""
    short = _short().match(match["url"])
    if short is None:
        yield whole
    elif len(short[1]) <= LONGEST_SLUG:
        yield Address(whole.start, whole.start + short.end())


def _without_scheme(match: "regex.Match[str]", whole: Address) -> Iterator[Address]:
    """The names of Latin letters in it (a sentence in Japanese may run into one without a blank); the last one takes
    what follows if there is a path, while a port or a query alone stays text."""
    start = match.start("host")
    names = [Address(start + name.start(), start + name.end()) for name in _latin_host().finditer(match["host"])]
    if names and match["path"]:
        behind = whole.end - match.end("host")
        names[-1] = Address(names[-1].start, names[-1].end + behind)
    yield from names


_SEPARATORS = r"\t-\r \x85\xA0\u1680\u180E\u2000-\u200A\u2028\u2029\u202F\u205F\u3000"
_DIRECTIONS = r"\u202A-\u202E\u061C\u200E\u200F\u2066-\u2069"
_NEVER = r"\uFFFE\uFEFF\uFFFF"
_LATIN = r"\xC0-\xD6\xD8-\xF6\xF8-\u024F\u0253\u0254\u0256\u0257\u0259\u025B\u0263\u0268\u026F\u0272\u0289\u028B\u02BB"
_LATIN += r"\u0300-\u036F\u1E00-\u1EFF"
_IN_HOST = rf"[^!'#%&()*+,\\\-./:;<=>?@\[\]^_{{|}}~${_SEPARATORS}{_DIRECTIONS}{_NEVER}]"
_IN_PATH = rf"[a-z\u0400-\u04FF0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_LATIN}]"
_ENDS_PATH = rf"[+\-a-z\u0400-\u04FF0-9=_#/{_LATIN}]"
_PARENTHESES = rf"\((?:{_IN_PATH}++|{_IN_PATH}*\({_IN_PATH}++\){_IN_PATH}*+)\)"


@cache
def _top() -> str:
    """The pattern of a top-level domain."""
    return rf"(?:(?:{_tree(top_level())})(?=[^0-9a-zA-Z@+-]|$)|xn--[-0-9a-z]++)"


def _tree(words: Collection[str]) -> str:
    """A pattern for any of the words that looks at each character of a text only once."""
    branches = []
    for first in sorted({word[0] for word in words if word}):
        rest = [word[1:] for word in words if word[:1] == first]
        branches.append(regex.escape(first) + (f"(?:{_tree(rest)})" if any(rest) else ""))
    return "|".join(branches + ([""] if "" in words else []))


def before() -> str:
    """The pattern of what may stand before an address; Mastodon has it from the same library."""
    return rf"(?:[^A-Za-z0-9@＠$#＃{_NEVER}]|^)"


def host() -> str:
    """The pattern of a host name (case is not told apart); Mastodon has it from the same library."""
    part = rf"(?:{_IN_HOST}(?:[_-]|{_IN_HOST}){{0,62}}(?<![_-])\.)"
    last = rf"(?:{_IN_HOST}(?:-|{_IN_HOST}){{0,62}}(?<!-)\.)"
    return rf"{part}{{0,{PARTS}}}{last}{_top()}"


@cache
def _url() -> "regex.Pattern[str]":
    """`before`, then `url` = `scheme` `host` port `path` query; all of it in time proportional to the text."""
    return regex.compile(
        rf"(?P<before>{before()})"
        rf"(?P<url>(?P<scheme>https?://)?(?P<host>{host()})(?::[0-9]+)?"
        rf"(?P<path>/(?:(?:{_IN_PATH}|{_PARENTHESES})*(?:{_ENDS_PATH}|{_PARENTHESES}))?)?"
        rf"(?:\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/])?)",
        regex.IGNORECASE,
    )


@cache
def _latin_host() -> "regex.Pattern[str]":
    return regex.compile(rf"(?:[-a-z0-9{_LATIN}]++\.)+{_top()}", regex.IGNORECASE)


@cache
def _short() -> "regex.Pattern[str]":
    query = r"(?:\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/])?"
    return regex.compile(rf"https?://t\.co/([a-z0-9]+){query}", regex.IGNORECASE)


@cache
def _emoji() -> "regex.Pattern[str]":
    """Emoji of several characters (Unicode 15.1); those of one weigh 2 by their place already."""
    tone = "[\U0001f3fb-\U0001f3ff]"
    person = "[👨👩🧑]"
    posed = "[🏃🏄🏊👮👯👰👱👳👷💁💂💆💇🙅-🙇🙋🙍🙎🚣🚴-🚶🤦🤵🤷-🤹🤼-🤾🦸🦹🧍-🧏🧔🧖-🧟]"
    tools = "[⚕⚖✈]\ufe0f|[🌾🍳🍼🎓🎤🎨🏫🏭💻💼🔧🔬🚀🚒🦯🦼🦽🎄🦰-🦳]"
    alone = (
        "🏳\ufe0f\u200d🌈|🏳\ufe0f\u200d⚧\ufe0f|🏴\u200d☠\ufe0f|👁\ufe0f?\u200d🗨\ufe0f?|🐕\u200d🦺|🐈\u200d⬛|🐻\u200d❄\ufe0f|"
        "🐦\u200d[⬛🔥]|🍋\u200d🟩|🍄\u200d🟫|⛓\ufe0f\u200d💥|❤\ufe0f\u200d[🔥🩹]|😮\u200d💨|😵\u200d💫|😶\u200d🌫\ufe0f|"
        "🙂\u200d[↔↕]\ufe0f"
    )
    styled = "🀄🈚🈯⌚⌛☔☕♈-♓♿⚓⚡⚪⚫⚽⚾⛄⛅⛔⛪⛲⛳⛵⛺⛽❗⬛⬜⭐⭕◽◾"
    return regex.compile(
        f"{person}{tone}?\u200d(?:{tools})(?:\u200d➡\ufe0f)?"
        f"|(?:{posed}{tone}?|[🏋🏌🕵⛹](?:{tone}|\ufe0f))\u200d(?:[♀♂]\ufe0f(?:\u200d➡\ufe0f)?|➡\ufe0f)"
        f"|{person}{tone}?\u200d❤\ufe0f\u200d(?:💋\u200d)?{person}{tone}?"
        f"|{person}{tone}?\u200d🤝\u200d{person}{tone}?|🫱{tone}\u200d🫲{tone}"
        "|(?:👨\u200d[👨👩]|👩\u200d👩|[👨👩])\u200d(?:👦\u200d👦|👧\u200d[👦👧]|[👦👧])|🧑\u200d(?:🧑\u200d)?🧒(?:\u200d🧒)?"
        f"|{alone}"
        f"|[#*0-9]\ufe0f?\u20e3|🏴\U000e0067\U000e0062(?:{_tags('eng')}|{_tags('sct')}|{_tags('wls')})\U000e007f"
        f"|\\p{{Emoji_Modifier_Base}}{tone}|[[\\p{{Emoji}}--\\p{{Emoji_Presentation}}--[#*0-9]][{styled}]]\ufe0f"
        "|\\L<nations>",
        regex.VERSION1,
        nations=[_flag(code) for code in _FLAGS.split()],
    )


def _tags(letters: str) -> str:
    return "".join(chr(0xE0000 + ord(letter)) for letter in letters)


def _flag(code: str) -> str:
    return "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in code)
