"""What an SMN message announces (interface.md, Announcements).

A message is a hint by a person or a pipeline. It can name a release and narrow where it goes; it can never force anything. The
message is judged from the outside in: what is foreign is foreign before anything is taken out of it. When in doubt it is unclear.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ges_upgrader.events.envelopes import Layers, Object, each, is_data, layers_of
from ges_upgrader.events.free_text.blocking import words_against
from ges_upgrader.events.free_text.impression import impression_of
from ges_upgrader.events.free_text.lexing import pieces
from ges_upgrader.events.free_text.verdict import release_in
from ges_upgrader.events.readings import Announced, Doubt, Foreign, NotOurs, Reading, Unclear, Withdrawal
from ges_upgrader.events.structured import (
    check_annotated,
    check_envelope,
    names_version,
    releases_of,
    restricted,
    withdrawal_of,
)

MAX_MESSAGE = 64 * 1024  # bytes of UTF-8

_KIND_FIELDS = ("event", "type", "detail-type")
_ANNOUNCES = frozenset(("released", "available", "published"))
_WITHDRAWS = frozenset(("withdrawn", "recalled", "retracted", "revoked"))
_PRODUCT = frozenset(("ges", "graph engine service", "图引擎服务"))
_ALARM_FIELDS = ("alarm_id", "alarm_name", "alarm_status", "metric_name", "alarmname", "alerts", "alarm", "event_severity")
_RECORD_FIELDS = ("cts", "trace_name", "trace_id", "request_payload")
_CONFIRMATION_FIELDS = ("subscribe_url", "SubscribeURL")
_OTHER_SERVICES = frozenset(
    "aom apig as bms cbr cce cdm ces cfw csbs cse css cts dcs dds deh dis dli dms dns drs dws ecs eip elb evs gaussdb hss iam "
    "iec ims iotda kafka kms live lts modelarts mongodb mrs mysql nat obs postgresql rabbitmq rds redis rocketmq sfs sis smn "
    "sqlserver swr tms vbs vod vpc vpn waf workspace".split()
)
_MOST_NAME, _MOST_KIND = 100, 300
_VERSION_WORD = re.compile("version|版本", re.IGNORECASE)
_ESCAPED = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|n)")
_SOURCE = re.compile(r"(?:hc|sys)\.([a-z0-9_-]+)", re.IGNORECASE)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\x00-\x7f]+|[0-9]+")


def read_announcement(message: str, subject: str, sent: datetime, named_topic: bool) -> Reading:
    """What a message says. `sent` is when SMN sent it; `named_topic`: its topic is one of the policy's `release_topics`."""
    try:
        return _read(message, subject, sent, named_topic)
    except NotOurs as foreign:
        return Foreign(str(foreign))
    except Doubt as doubt:
        return _unclear(str(doubt), message, subject, named_topic)


def _read(message: str, subject: str, sent: datetime, named_topic: bool) -> Reading:
    if len(message.encode("utf-8", "surrogatepass")) > MAX_MESSAGE:
        raise Doubt(f"the message is over {MAX_MESSAGE // 1024} KB")
    layers = layers_of(message)
    for level in layers.objects:
        _must_be_ours(level)
    if any(_withdraws(level) for level in layers.objects):
        return _withdrawal(layers)
    if layers.problem is not None:
        raise Doubt(layers.problem)
    if not _is_unicode(layers.objects):
        raise Doubt("it holds half of a surrogate pair, which is no character")
    for envelope in layers.envelopes:
        check_envelope(envelope)
    for level in layers.objects:
        check_annotated(level)
        _must_announce(level)
    return _announced(layers, subject, sent, named_topic)


def _announced(layers: Layers, subject: str, sent: datetime, named_topic: bool) -> Announced:
    """Raises Doubt, or NotOurs for a text that does not name the product."""
    content, envelopes = layers.content, layers.envelopes
    if isinstance(content, str):
        release = release_in(content, subject, sent, named_topic and not envelopes)
        return restricted(release, envelopes, sent)
    assert isinstance(content, dict)
    titles = [subject, *(str(envelope.get("subject") or "") for envelope in envelopes)]
    if impression_of(*titles).warns:
        raise Doubt("its subject warns or withdraws")
    return releases_of(content, envelopes, sent)


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
    of_a_version = data and (seen.versions or _VERSION_WORD.search(text))
    if not (named_topic or seen.names_product or of_a_version):
        return Foreign("a message that does not name GES")
    ours = named_topic or seen.names_product or data
    return Unclear(why, seen.versions, seen.versions if seen.warns and ours else ())


def _unescaped(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16)) if found[1] else "\n"
    return "\ufffd" if "\ud800" <= character <= "\udfff" else character


def _must_be_ours(level: Object) -> None:
    """Raises NotOurs for what is foreign by its own fields."""
    if any(isinstance(schema, str) and schema.strip().lower().startswith("ges.upgrade.") for schema in each(level.get("schema"))):
        raise NotOurs("a message of this product")
    for service in each(level.get("service")):
        if isinstance(service, str) and not _is_product(service) and not impression_of(service[:_MOST_NAME]).names_product:
            raise NotOurs(f"a message of the service {service[:_MOST_NAME]!r}")
    for source in each(level.get("source")):
        found = _SOURCE.match(source) if isinstance(source, str) else None
        if found and found[1].lower() != "ges":
            raise NotOurs(f"an event of {found[0]}")
    kinds = [_words(kind) for kind in _kinds(level) if isinstance(kind, str)]
    others = {word for words in kinds for word in words if word in _OTHER_SERVICES and "ges" not in words}
    if others:
        raise NotOurs(f"an event of {min(others)}")
    if _withdraws(level) and names_version(level):
        return  # whatever else it has
    if any(name in level for name in _CONFIRMATION_FIELDS) or any("confirmation" in words for words in kinds):
        raise NotOurs("a confirmation of a subscription")
    if any(name in level for name in _RECORD_FIELDS):
        raise NotOurs("a record of what was called")
    if any(name.lower() in _ALARM_FIELDS for name in level):
        raise NotOurs("an alarm")


def _withdraws(level: Object) -> bool:
    return any(isinstance(kind, str) and _words(kind)[-1:] in ([word] for word in _WITHDRAWS) for kind in _kinds(level))


def _must_announce(level: Object) -> None:
    """Raises Doubt if the level says that it is something else than an announcement of a GES version."""
    for kind in _kinds(level):
        words = _words(kind) if isinstance(kind, str) else []
        if words[-1:] not in ([word] for word in _ANNOUNCES) or any(words_against(pieces(" ".join(words)))):
            raise Doubt(f"its event {str(kind)[:_MOST_NAME]!r} is not known; expected one that ends in released or withdrawn")
    for service in each(level.get("service")):
        if not isinstance(service, str) or not _is_product(service):
            raise Doubt(f"its service {str(service)[:_MOST_NAME]!r} is not known; expected GES")


def _kinds(level: Object) -> list[Any]:
    return [kind for name in _KIND_FIELDS for kind in each(level.get(name))]


def _words(kind: str) -> list[str]:
    """`ges.version.released` and `GesVersionReleased` to the same words."""
    return [word.lower() for word in _WORDS.findall(kind[:_MOST_KIND])]


def _is_product(service: str) -> bool:
    name = unicodedata.normalize("NFKC", service[:_MOST_NAME])
    return len(service) <= _MOST_NAME and " ".join(name.split()).lower() in _PRODUCT


def _is_unicode(levels: Sequence[Object]) -> bool:
    try:
        json.dumps(levels, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True
