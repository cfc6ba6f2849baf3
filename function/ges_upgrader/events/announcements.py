"""What an SMN message announces (interface.md, Announcements).

A message is a hint by a person or a pipeline. It can name a release and narrow where it goes; it can never force anything.
It is judged from the outside in: what is foreign is foreign before anything is taken out of it. When in doubt it is unclear.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime

from ges_upgrader.events.envelopes import Layers, Object, is_data, layers_of
from ges_upgrader.events.free_text.impression import Impression, impression_of
from ges_upgrader.events.free_text.verdict import release_in
from ges_upgrader.events.meanings import Announced, Doubt, Foreign, Meaning, NotOurs, Unclear, Withdrawal
from ges_upgrader.events.origins import must_announce, must_be_ours, withdraws
from ges_upgrader.events.structured import check_envelope, releases_of, restricted, withdrawal_of

MAX_MESSAGE = 64 * 1024  # bytes of UTF-8

_VERSION_WORD = re.compile("version|版本", re.IGNORECASE)
_ESCAPED = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|n)")


def read_announcement(message: str, subject: str, sent: datetime, named_topic: bool) -> Meaning:
    """What a message says. `sent` is when SMN sent it; `named_topic`: its topic is one of the policy's `release_topics`."""
    try:
        return _read(message, subject, sent, named_topic)
    except NotOurs as foreign:
        return Foreign(str(foreign))
    except Doubt as doubt:
        return _unclear(str(doubt), message, subject, named_topic)


def _read(message: str, subject: str, sent: datetime, named_topic: bool) -> Meaning:
    """Raises Doubt and NotOurs."""
    if len(message.encode("utf-8", "surrogatepass")) > MAX_MESSAGE:
        raise Doubt(f"the message is over {MAX_MESSAGE // 1024} KB")
    layers = layers_of(message)
    for level in layers.objects:
        must_be_ours(level)
    if any(map(withdraws, layers.objects)):
        return _withdrawal(layers)
    _check_form(layers)
    return _announced(layers, subject, sent, named_topic)


def _check_form(layers: Layers) -> None:
    """Raises Doubt if the form, or a field that says what the message is, is not that of an announcement."""
    if layers.problem is not None:
        raise Doubt(layers.problem)
    for envelope in layers.envelopes:
        check_envelope(envelope)
    for level in layers.objects:
        must_announce(level)
    if not _is_unicode(layers.objects):
        raise Doubt("it holds half of a surrogate pair, which is no character")


def _announced(layers: Layers, subject: str, sent: datetime, named_topic: bool) -> Announced:
    content, envelopes = layers.content, layers.envelopes
    titles = "\n".join([subject, *map(_title_of, envelopes)])
    if isinstance(content, str):
        release = release_in(content, titles, sent, named_topic, bare_counts=named_topic and not envelopes)
        return restricted(release, envelopes, sent)
    assert isinstance(content, dict)  # the form of anything else is a problem
    if impression_of(titles).warns:
        raise Doubt("its subject warns or withdraws")
    return releases_of(content, envelopes, sent)


def _title_of(envelope: Object) -> str:
    return str(envelope.get("subject") or "")


def _withdrawal(layers: Layers) -> Withdrawal:
    content = layers.content
    inside = impression_of(content).versions if isinstance(content, str) else ()
    withdrawal = withdrawal_of(layers.objects, inside)
    if withdrawal is None:
        raise Doubt("it withdraws something, and names no version that can be read")
    return withdrawal


def _unclear(why: str, message: str, subject: str, named_topic: bool) -> Unclear | Foreign:
    """What can be said of a message that was not understood.

    What names neither the product nor, as data, a version is foreign, unless the topic is a named one.
    """
    data, text = is_data(message), message[:MAX_MESSAGE]
    seen = impression_of(subject, _ESCAPED.sub(_unescaped, text) if data else text)
    meant_for_us = named_topic or seen.names_product or (data and _is_about_version(seen, text))
    if not meant_for_us:
        return Foreign("a message that does not name GES")
    return Unclear(why, seen.versions, seen.versions if seen.warns else ())


def _is_about_version(seen: Impression, text: str) -> bool:
    return bool(seen.versions) or _VERSION_WORD.search(text) is not None


def _unescaped(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16)) if found[1] else "\n"
    return "\ufffd" if "\ud800" <= character <= "\udfff" else character


def _is_unicode(levels: Sequence[Object]) -> bool:
    try:
        json.dumps(levels, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True
