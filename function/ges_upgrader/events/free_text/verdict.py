"""What a free text announces, or why it announces nothing (interface.md, Announcements).

In this order: the text must name the product, be readable, name exactly one version, have no word that speaks against a
release, name no day that is still to come, and announce the version by the grammar.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from ges_upgrader.domain.model import Release
from ges_upgrader.domain.version import Version
from ges_upgrader.events.free_text.blocking import words_against
from ges_upgrader.events.free_text.grammar import announces
from ges_upgrader.events.free_text.impression import nearly_names_product
from ges_upgrader.events.free_text.lexing import Text, pieces
from ges_upgrader.events.free_text.normalising import normalised
from ges_upgrader.events.free_text.numbers import latest_date
from ges_upgrader.events.free_text.tokens import Tokens
from ges_upgrader.events.meanings import Doubt, NotOurs

MAX_LENGTH = 8000  # characters of a free text that announces, without its markup and addresses

_BARE = re.compile(r"v?[0-9](?:\.[0-9]{1,3}){2,3}")
_OWN = re.compile(r"\bevent \S+, run \S+, policy [0-9a-f]{6,}\.")  # the last line of our mails
_QUOTING = re.compile(
    r"^[ \t]*>|^-{2,5} ?(?:original message|forwarded message|原始邮件|转发邮件)"
    r"|(?:wrote|写道): ?$|^(?:from|sent|发件人|发送时间): ",
    re.MULTILINE,
)
_BRACES = re.compile("[{}]")
_REPLY = re.compile(r"[ \t]*(?:re|aw|sv|回复|答复) ?[:(\[]")


def release_in(body: str, subject: str, sent: datetime, named_topic: bool, bare_counts: bool) -> Release:
    """The release that a message announces. Raises Doubt, or NotOurs if it does not name the product.

    `named_topic`: it came by a topic that the policy's `release_topics` names. `bare_counts`: a version alone announces.
    """
    text, title = normalised(body), normalised(subject)
    if len(text.text) + len(title.text) > MAX_LENGTH:
        raise Doubt(f"it is longer than {MAX_LENGTH} characters, too long for an announcement in free text")
    whole = pieces(f"{title.text}\n\n{text.text}")
    tokens = Tokens(whole)
    bare = bare_counts and _is_version_alone(text.text)
    if not bare:
        _must_name_product(whole, tokens, named_topic)
    for doubt in (*text.doubts, *title.doubts):
        raise Doubt(f"it {doubt}")
    version = _only_version(tokens)
    _must_be_unopposed(whole, sent)
    _must_announce(tokens, bare)
    return Release(version, regions=tuple(sorted(tokens.regions)))


def _is_version_alone(body: str) -> bool:
    return _BARE.fullmatch(body.strip().lower()) is not None


def _must_name_product(whole: Text, tokens: Tokens, named_topic: bool) -> None:
    """Raises NotOurs for a text that does not name the product, and Doubt if it comes by a named topic or nearly names it."""
    if _OWN.search(whole.text):
        raise NotOurs("a message of this product")
    if "P" in tokens.kinds:
        return
    why = "a text that does not name GES, Graph Engine Service or 图引擎服务"
    raise Doubt(f"it is {why}") if named_topic or nearly_names_product(whole.text) else NotOurs(why)


def _only_version(tokens: Tokens) -> Version:
    if tokens.strange:
        raise Doubt(f"it names {tokens.strange[0][:80]!r}, which is no GES version")
    versions = sorted(tokens.versions)
    if not versions:
        raise Doubt("it names no version")
    if len(versions) > 1:
        raise Doubt(f"it names several versions: {', '.join(map(str, versions[:20]))}")
    return versions[0]


def _must_announce(tokens: Tokens, bare: bool) -> None:
    """Raises Doubt if the grammar finds no announcement. A version alone needs none, if every word around it is known."""
    if not announces(tokens.kinds) and not (bare and "X" not in tokens.kinds):
        raise Doubt("it does not say in plain words that the version was released or is available")


def _must_be_unopposed(whole: Text, sent: datetime) -> None:
    """Raises Doubt for whatever speaks against a release."""
    for objection in _OBJECTIONS:
        why = objection(whole, sent)
        if why is not None:
            raise Doubt(f"it {why}")


def _data(whole: Text, sent: datetime) -> str | None:
    return "mixes text and data" if _BRACES.search(whole.text) else None


def _quotation(whole: Text, sent: datetime) -> str | None:
    return "quotes another message" if _QUOTING.search(whole.text) or _REPLY.match(whole.text) else None


def _word_against(whole: Text, sent: datetime) -> str | None:
    word = next(words_against(whole), None)
    return None if word is None else f"has a word of {word.against.value}: {word.text!r}"


def _day_to_come(whole: Text, sent: datetime) -> str | None:
    day = latest_date(whole.text, sent.date())
    if day is None or day <= (sent + timedelta(days=1)).date():
        return None
    return f"names a day that is still to come: {day}"


# In this order: the first that applies is named.
_OBJECTIONS: tuple[Callable[[Text, datetime], str | None], ...] = (_data, _quotation, _word_against, _day_to_come)
