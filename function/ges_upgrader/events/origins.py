"""Where a message comes from and what it says it is, by its outermost fields (interface.md, Announcements: Outermost first)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import chain, filterfalse
from typing import Any

from ges_upgrader.events.envelopes import Object, each
from ges_upgrader.events.free_text.blocking import words_against
from ges_upgrader.events.free_text.impression import impression_of
from ges_upgrader.events.free_text.lexing import pieces
from ges_upgrader.events.meanings import Doubt, NotOurs
from ges_upgrader.events.structured import names_version

_KIND_FIELDS = ("event", "type", "detail-type")
_ANNOUNCES = (["released"], ["available"], ["published"])
_WITHDRAWS = (["withdrawn"], ["recalled"], ["retracted"], ["revoked"])
_PRODUCT = ("ges", "graph engine service", "图引擎服务")
_SCHEMA = re.compile(r"ges\.release/1(?:\.[0-9]+)*")
_FOREIGN = (  # by the name of a field, or a word of the event's name
    (frozenset(("confirmation", "subscribe_url", "subscribeurl")), "a confirmation of a subscription"),
    (frozenset(("cts", "trace_name", "trace_id", "request_payload")), "a record of what was called"),
    (
        frozenset(("alarm", "alarm_id", "alarm_name", "alarm_status", "alarmname", "alerts", "metric_name", "event_severity")),
        "an alarm",
    ),
)
_OTHER_SERVICE = re.compile(
    "aom|apig|bms|cbr|cce|cdm|ces|cfw|csbs|cse|css|cts|dcs|dds|deh|dis|dli|dms|dns|drs|dws|ecs|eip|elb|evs|gaussdb|hss|iam|"
    "iec|ims|iotda|kafka|kms|lts|modelarts|mongodb|mrs|mysql|nat|obs|postgresql|rabbitmq|rds|redis|rocketmq|sfs|sis|smn|"
    "sqlserver|swr|tms|vbs|vod|vpc|vpn|waf|workspace"
)
_SOURCE = re.compile(r"(?:hc|sys)\.([a-z0-9_-]+)", re.IGNORECASE)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\x00-\x7f]+|[0-9]+")
_MOST_NAME, _MOST_KIND = 100, 300  # characters


def must_be_ours(level: Object) -> None:
    """Raises NotOurs for an object that is foreign by its own fields.

    A withdrawal that names a version counts whatever other fields it has, its schema, service and source apart.
    """
    for what in _origins_elsewhere(level):
        raise NotOurs(what)


def must_announce(level: Object) -> None:
    """Raises Doubt if the object says that it is something else than an announcement of a GES version."""
    for claim in _other_claims(level):
        raise Doubt(f"its {claim}")


def withdraws(level: Object) -> bool:
    return any(words[-1:] in _WITHDRAWS for words in _kinds_in_words(level))


def _origins_elsewhere(level: Object) -> Iterator[str]:
    """What shows that the object is foreign, in the order in which it counts."""
    if any(map(_is_own_schema, each(level.get("schema")))):
        yield "a message of this product"
    yield from _other_services(level)
    yield from _other_sources(level)
    yield from _other_events(level)
    if not (withdraws(level) and names_version(level)):
        yield from _other_forms(level)


def _is_own_schema(schema: Any) -> bool:
    return str(schema).strip().lower().startswith("ges.upgrade.")


def _other_services(level: Object) -> Iterator[str]:
    for service in each(level.get("service")):
        if not _may_be_product(service):
            yield f"a message of the service {service[:_MOST_NAME]!r}"


def _other_sources(level: Object) -> Iterator[str]:
    for source in filter(_is_text, each(level.get("source"))):
        found = _SOURCE.match(source)
        if found and found[1].lower() != "ges":
            yield f"an event of {found[0]}"


def _other_events(level: Object) -> Iterator[str]:
    for words in _kinds_in_words(level):
        if "ges" not in words and any(map(_OTHER_SERVICE.fullmatch, words)):
            yield f"an event of another service: {' '.join(words)}"


def _other_forms(level: Object) -> Iterator[str]:
    names = {*map(str.lower, level), *chain.from_iterable(_kinds_in_words(level))}
    for fields, what in _FOREIGN:
        if names & fields:
            yield what


def _other_claims(level: Object) -> Iterator[str]:
    """What the object says of itself that no announcement says, and what was expected."""
    for schema in filterfalse(_is_release_schema, each(level.get("schema"))):
        yield f"schema {str(schema)[:_MOST_NAME]!r} is not known; expected ges.release/1"
    for service in filterfalse(_is_product, each(level.get("service"))):
        yield f"service {str(service)[:_MOST_NAME]!r} is not known; expected GES"
    for kind in filterfalse(_announces, _kinds(level)):
        yield f"event {str(kind)[:_MOST_NAME]!r} is not known; expected one that ends in released or withdrawn"


def _is_release_schema(schema: Any) -> bool:
    return isinstance(schema, str) and _SCHEMA.fullmatch(schema) is not None


def _announces(kind: Any) -> bool:
    """Whether the last word announces, and no other speaks against it, as in `ges.version.pre-released`."""
    words = [word for word in _words(kind) if word != "example"] if isinstance(kind, str) else []
    return words[-1:] in _ANNOUNCES and not any(words_against(pieces(" ".join(words))))


def _kinds(level: Object) -> list[Any]:
    return [kind for name in _KIND_FIELDS for kind in each(level.get(name))]


def _kinds_in_words(level: Object) -> list[list[str]]:
    return list(map(_words, filter(_is_text, _kinds(level))))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _words(kind: str) -> list[str]:
    """`ges.version.released` and `GesVersionReleased` to the same words."""
    return [word.lower() for word in _WORDS.findall(kind[:_MOST_KIND])]


def _is_product(service: Any) -> bool:
    if not isinstance(service, str) or len(service) > _MOST_NAME:
        return False
    return " ".join(unicodedata.normalize("NFKC", service).split()).lower() in _PRODUCT


def _may_be_product(service: Any) -> bool:
    """Whether the name of a service is the product's, holds it, or is no name at all."""
    return not isinstance(service, str) or _is_product(service) or impression_of(service[:_MOST_NAME]).names_product
