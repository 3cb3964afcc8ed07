"""A file of rows as bytes: which encoding, which separator, and its rows as lists of text.

Nothing is guessed. A byte order mark says what it says; without one, bytes that are valid UTF-8 are UTF-8,
and anything else is Windows-1252, of which five bytes do not exist (such a file is refused). The separator is
the one that the first line has most of, outside quotes: comma, semicolon or tab. An .xlsx file is read by
`cm.calendar.xlsxfile`. Rows are numbered as a spreadsheet numbers them: the first is row 1, and a row is one
however many lines its cells have. Pure.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from cm.calendar.badfile import BadFile
from cm.i18n import _

_BLOCK = 1 << 20
_CODECS = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8-sig",
    "utf-16-le": "utf-16",
    "utf-16-be": "utf-16",
    "windows-1252": "cp1252",
}
"""Name that is reported → Python's codec, which takes the mark off where there is one."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_QUOTED = re.compile(r'"[^"]*("|$)')
_ZIP = b"PK\x03\x04"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"

csv.field_size_limit(2**31 - 1)  # the module's own limit of 131,072 characters is no limit of ours


@dataclass(frozen=True)
class Sheet:
    """An opened file. `rows` begins anew with each call; `faults`: row → (cell from 0, what is wrong with it)."""

    encoding: str
    delimiter: str | None
    rows: Callable[[], Iterator[list[str]]]
    name: str | None = None
    """Of a workbook: the sheet that is read."""
    faults: Mapping[int, tuple[tuple[int, str], ...]] = field(default_factory=dict)


def open_sheet(data: bytes, name: str | None = None) -> Sheet:
    """Look at what a file is. `name`: the sheet of a workbook, the first one if None.

    Raises BadFile: bytes that no known encoding has, another program's format, no such sheet.
    """
    if data.startswith(_OLD_OFFICE):
        raise BadFile(1, "", _("This is an .xls file, or one with a password. Save it as .xlsx without a password."))
    if data.startswith(_ZIP):
        from cm.calendar.xlsxfile import open_workbook

        sheet, rows, faults = open_workbook(data, name)
        return Sheet("xlsx", None, lambda: iter(rows), sheet, faults)
    if name is not None:
        raise BadFile(1, "", _("The file is text: it has no sheet {name!r}. Leave --sheet out.").format(name=name))
    encoding = _encoding_of(data)
    delimiter = delimiter_of(_first_line(data, encoding))
    return Sheet(encoding, delimiter, lambda: _rows(data, encoding, delimiter))


def delimiter_of(line: str) -> str:
    """The separator that a line has most of outside quotes; a comma if it has none."""
    bare = _QUOTED.sub("", line)
    return max(",;\t", key=bare.count)


def split_by(data: bytes, sheet: Sheet, delimiter: str) -> Sheet:
    """The same text file with another separator."""
    return Sheet(sheet.encoding, delimiter, lambda: _rows(data, sheet.encoding, delimiter))


def first_line(data: bytes, sheet: Sheet) -> str:
    """The first line of a text file, as it stands there."""
    return _first_line(data, sheet.encoding)


def _rows(data: bytes, encoding: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(_text(data, encoding), delimiter=delimiter, strict=True)
    number = 0
    try:
        for row in reader:
            number += 1
            yield row
    except csv.Error as error:
        said = _("The quotes of this row do not match ({error}); everything after it is unread.")
        raise BadFile(number + 1, "", said.format(error=error)) from None


def _text(data: bytes, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(data), encoding=_CODECS[encoding], newline="")


def _first_line(data: bytes, encoding: str) -> str:
    return _text(data[: 2 * _BLOCK], encoding).readline(_BLOCK)


def _encoding_of(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise BadFile(1, "", _("The file is UTF-32. Save it as “CSV UTF-8”."))
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            _require(data, encoding)
            return encoding
    if b"\0" in data[:2]:
        raise BadFile(1, "", _("The file is no text, or UTF-16 without its mark. Save it as “CSV UTF-8” or .xlsx."))
    if _first_fault(data, "utf-8") is None:
        return "utf-8"
    _require(data, "windows-1252")
    return "windows-1252"


def _require(data: bytes, encoding: str) -> None:
    at = _first_fault(data, _CODECS[encoding])
    if at is None:
        return
    row = data.count(b"\n", 0, at) + 1
    said = _("The file is neither UTF-8 nor Windows-1252: byte {byte:#04x} at position {at}, line {line}.")
    if encoding != "windows-1252":
        said = _("The file is not the {encoding} that it says it is: byte {byte:#04x} at position {at}, line {line}.")
    hint = _("Save it as “CSV UTF-8” or .xlsx.")
    raise BadFile(row, "", f"{said.format(encoding=encoding, byte=data[at], at=at, line=row)} {hint}")


def _first_fault(data: bytes, codec: str) -> int | None:
    """Where decoding fails, if it does. Block by block, so that a large file is not held twice."""
    decoder = codecs.getincrementaldecoder(codec)()
    view = memoryview(data)
    for start in range(0, max(len(data), 1), _BLOCK):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(view[start : start + _BLOCK], final=start + _BLOCK >= len(data))
        except UnicodeDecodeError as error:
            return min(max(start - pending + error.start, 0), len(data) - 1)
    return None
