"""What a message consists of: JSON or text, inside up to two envelopes (interface.md, Announcements).

Nothing is judged here but the form. A payload that cannot be decoded becomes `Broken`, as a withdrawal around it still counts.
"""

from __future__ import annotations

import json
import re
import string
from typing import Any, TypeGuard

import msgspec

from ges_upgrader.events.meanings import Doubt

MAX_LEVELS = 2
WRAPPERS = ("data", "detail", "message", "default")

_PADDING = string.whitespace + "\ufeff\u200b\u200e\u200f\u2060\u00a0\u3000"
_JSON = ("{", "[", '"')
_OTHER_DATA = ("'", "(", "“", "‘", "«", "`", "｛", "［", "（", "＂", "＇", "<?")
_LANGUAGES = ("", "json", "text", "txt")  # of a fenced block that is no program
_MAX_DIGITS = 18  # a longer integer is read as a float: to parse one of 60,000 digits takes long
_ONE_WORD_KEY = re.compile(r"\s*-?\s*[A-Za-z_][\w.-]*\s*(?::\s|=)\s*\S")
_SHORT_KEY = re.compile(r"\s*-?\s*[^\s:=：]{1,24}(?: [^\s:=：]{1,24}){0,3} ?(?::\s|=|：)\s*\S")

Object = dict[str, Any]


class Repeated(list[Any]):
    """The values of a name that an object gives more than once."""


class Broken(msgspec.Struct, frozen=True):
    """Something that looks like data and cannot be read. `why` says what is wrong with it."""

    why: str


class Layers(msgspec.Struct, frozen=True):
    """A message from the outside in: its envelopes, and what is inside the last of them.

    `content` is an object, free text, or Broken. `problem` says why the form alone makes an announcement unclear.
    """

    envelopes: tuple[Object, ...]
    content: Object | str | Broken
    problem: str | None = None

    @property
    def objects(self) -> tuple[Object, ...]:
        """The envelopes and, if it is an object, the content."""
        return (*self.envelopes, self.content) if isinstance(self.content, dict) else self.envelopes


def layers_of(message: str) -> Layers:
    """Decodes the message and takes it out of its envelopes."""
    content, problem = _decoded(message)
    envelopes: list[Object] = []
    while _is_envelope(content) and len(envelopes) < MAX_LEVELS:
        envelopes.append(content)
        content, another = _decoded(content[_wrapped(content)[0]])
        problem = problem or another
    return Layers(tuple(envelopes), content, problem or _what_is_left(content, len(envelopes)))


def _is_envelope(content: Object | str | Broken) -> TypeGuard[Object]:
    return isinstance(content, dict) and len(_wrapped(content)) == 1


def _what_is_left(content: Object | str | Broken, levels: int) -> str | None:
    """Why the content is in doubt if it wraps something too, after so many envelopes."""
    wrapped = _wrapped(content) if isinstance(content, dict) else []
    if not wrapped:
        return None
    if levels == MAX_LEVELS:
        return f"it has more than {MAX_LEVELS} envelopes"
    return f"it wraps several things: {' and '.join(f'`{name}`' for name in wrapped)}"


def is_data(message: str) -> bool:
    """Whether the message is data by its looks, valid or not."""
    text = _unfenced(message.strip(_PADDING))
    try:
        _must_be_prose(text)
    except Doubt:
        return True
    return False


def each(value: Any) -> list[Any]:
    """The values that were given for a name, less those that are null."""
    values = value if isinstance(value, Repeated) else [value]
    return [one for one in values if one is not None]


def _wrapped(content: Object) -> list[str]:
    return [name for name in WRAPPERS if content.get(name) not in (None, "")]


def _decoded(content: Any) -> tuple[Object | str | Broken, str | None]:
    """An object, free text or Broken, and why its form is in doubt. Undoes JSON in a JSON text, twice at most."""
    repeated: list[str] = []
    try:
        content = _out_of_texts(content, repeated)
    except Doubt as doubt:
        return Broken(str(doubt)), str(doubt)
    if not isinstance(content, (dict, str)):
        return Broken("neither a JSON object nor text"), "the message is neither a JSON object nor text"
    return content, f"it gives `{repeated[0][:80]}` twice" if repeated else None


def _out_of_texts(content: Any, repeated: list[str]) -> Any:
    """The value without JSON in a JSON text. Raises Doubt if a text is left that is data."""
    for _ in range(MAX_LEVELS):
        if not isinstance(content, str):
            return content
        content = _unfenced(content.strip(_PADDING))
        if not content.startswith(_JSON):
            break
        content = _parsed(content, repeated)
    if isinstance(content, str):
        _must_be_prose(content)
    return content


def _parsed(text: str, repeated: list[str]) -> Any:
    """The JSON value. The names that an object in it gives twice are added to `repeated`. Raises Doubt."""

    def made(pairs: list[tuple[str, Any]]) -> Object:
        found = dict(pairs)
        return found if len(found) == len(pairs) else _with_repetitions(pairs, repeated)

    try:
        return json.loads(text, object_pairs_hook=made, parse_int=_number, parse_constant=_refused)
    except (ValueError, RecursionError):
        raise Doubt("it looks like JSON and is not valid JSON") from None


def _with_repetitions(pairs: list[tuple[str, Any]], repeated: list[str]) -> Object:
    found: Object = {}
    for name, value in pairs:
        if name not in found:
            found[name] = value
        elif isinstance(found[name], Repeated):
            found[name].append(value)
        else:
            found[name] = Repeated([found[name], value])
            repeated.append(name)
    return found


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)


def _refused(constant: str) -> None:
    raise ValueError(constant)


def _unfenced(text: str) -> str:
    """The inside of a fenced block of Markdown."""
    if not (text.startswith("```") and text.endswith("```") and len(text) > 6):
        return text
    language, _, inside = text[3:-3].partition("\n")
    return inside.strip(_PADDING) if language.strip().lower() in _LANGUAGES else text


def _must_be_prose(text: str) -> None:
    """Raises Doubt if the text is data in another form than JSON."""
    if text.startswith((*_JSON, *_OTHER_DATA)):
        raise Doubt("it begins like data and is not JSON")
    if _is_keys_and_values([line for line in text.splitlines() if line.strip()]):
        raise Doubt("each of its lines is a key and a value, and it is not JSON")


def _is_keys_and_values(lines: list[str]) -> bool:
    key = _ONE_WORD_KEY if len(lines) == 1 else _SHORT_KEY
    return bool(lines) and all(map(key.match, lines))
