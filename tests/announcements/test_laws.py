"""Laws of reading: what never teaches, whatever stands around it, and that reading ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ges_upgrader.events.announcements import read_announcement
from ges_upgrader.events.free_text.vocabulary import BLOCKING, GRAMMAR, HARMLESS
from ges_upgrader.events.meanings import Announced, Foreign, Meaning, Unclear, Withdrawal
from ges_upgrader.events.smn import Trust, read_smn
from tests.announcements.corpus import Sample, samples
from tests.builders import NOW, RELEASES_TOPIC, TOPIC

POSITIVE = ("A", "B", "Z", "R")
ANNOUNCEMENTS = (
    "GES 2.4.15 is available",
    "Dear all, we released GES version 2.4.15 today.",
    "图引擎服务 GES 2.4.15 版本已发布",
    "GES 推出新版本 2.4.15，欢迎升级",
)
ENVELOPES = ("data", "detail", "message", "default")


def entries(text: str) -> list[str]:
    return [" ".join(entry.split()) for entry in text.replace("\n", " ").split(",") if entry.strip()]


def read(text: str, subject: str = "", named_topic: bool = False) -> Meaning:
    return read_announcement(text, subject, NOW, named_topic)


def teaches(text: str, subject: str = "", named_topic: bool = False) -> bool:
    return isinstance(read(text, subject, named_topic), Announced)


BLOCKING_WORDS = sorted({entry.removesuffix("*") for text in BLOCKING.values() for entry in entries(text)})
OTHER_WORDS = sorted(
    {entry for kind, text in GRAMMAR.items() if kind not in POSITIVE for entry in entries(text)} - {"new", "newest", "latest"}
)
RELEASE_TEXTS = [
    sample for sample in samples() if sample.theme.startswith("releases") and "2.4.15" in f"{sample.text} {sample.subject}"
]
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.integers()
    | st.sampled_from(["2.4.15", "GES", "released"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    *("version", "versions", "target_version", "schema", "event", "type", "detail-type", "service", "source", "severity"),
    *("regions", "region", "targets", "soak_hours", "not_before", "not_after", "dry_run", "annotations", "data", "message"),
)
contents = st.dictionaries(st.sampled_from(FIELDS), json_values)


@pytest.mark.parametrize("word", BLOCKING_WORDS)
def test_blocking_word_teaches_nothing(word: str) -> None:
    for text in ANNOUNCEMENTS:
        assert teaches(text)
        amid = text.replace("2.4.15", f"2.4.15 {word}", 1)
        assert not any(map(teaches, (f"{word}. {text}", f"{text}. {word}", f"{word} {text}", f"{text} {word}", amid)))
        assert not teaches(text, subject=word)


words = st.lists(st.sampled_from([*OTHER_WORDS, "2.4.15", "GES", ".", ",", ":"]) | st.text(max_size=5), max_size=12)


@given(words, st.booleans())
def test_text_without_positive_word_teaches_nothing(words: list[str], named_topic: bool) -> None:
    text = " ".join(["GES 2.4.15", *words])
    assert not teaches(text, named_topic=named_topic)
    assert not teaches("".join(words), subject="GES 2.4.15")


@given(st.text(), st.text(max_size=20))
def test_random_text_teaches_nothing(text: str, subject: str) -> None:
    assert not teaches(text, subject)


@given(st.sampled_from(RELEASE_TEXTS), st.from_regex(r"[A-Za-z_+#~-][A-Za-z0-9]{0,3}", fullmatch=True))
def test_version_with_suffix_teaches_nothing(sample: Sample, suffix: str) -> None:
    text, subject = (part.replace("2.4.15", f"2.4.15{suffix}") for part in (sample.text, sample.subject))
    assert not teaches(text, subject)


@given(st.sampled_from(RELEASE_TEXTS), st.from_regex(r"[A-Za-z_+#~-]{1,3}", fullmatch=True).filter(lambda one: one not in "vV"))
def test_version_with_prefix_teaches_nothing(sample: Sample, prefix: str) -> None:
    text, subject = (part.replace("2.4.15", f"{prefix}2.4.15") for part in (sample.text, sample.subject))
    assert not teaches(text, subject)


@given(contents, st.lists(st.sampled_from(ENVELOPES), max_size=2), st.lists(contents, min_size=2, max_size=2), st.booleans())
def test_wrapped_withdrawal_never_announces(
    content: dict[str, Any], names: list[str], envelopes: list[dict[str, Any]], as_text: bool
) -> None:
    message: dict[str, Any] = {**content, "event": "ges.version.withdrawn", "version": "2.4.16"}
    for name, envelope in zip(names, envelopes):
        message = {**envelope, name: json.dumps(message) if as_text else message}
    assert not teaches(json.dumps(message))


@given(contents)
def test_withdrawal_withdraws_whatever_else_it_says(content: dict[str, Any]) -> None:
    assume(not set(content) & {"schema", "service", "source", "type", "detail-type", *ENVELOPES})
    message = {**content, "event": "ges.version.withdrawn", "version": "2.4.16"}
    found = read(json.dumps(message))
    too_many = isinstance(content.get("versions"), list) and len(content["versions"]) > 20
    assert too_many or isinstance(found, Withdrawal)


@given(json_values | contents | st.text(), st.text(max_size=20))
def test_notice_can_be_written(content: Any, subject: str) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    record = {"smn": {"topic_urn": RELEASES_TOPIC, "message": text, "subject": subject}}
    for notice in read_smn({"record": [record]}, Trust([RELEASES_TOPIC], TOPIC), NOW).notices:
        assert len(notice.text.encode()) < 16_000


@given(contents, st.text(min_size=1), json_values)
def test_unknown_field_teaches_nothing(content: dict[str, Any], name: str, value: Any) -> None:
    assume(name not in FIELDS and name not in ("arch", "product_types", "min_source_version", "released_at", *ENVELOPES))
    plain = {"version": "2.4.15", "service": "GES"}
    assume(name not in ("publisher", "notes_url", "event_id", "force_upgrade", "rollback_supported"))
    assert teaches(json.dumps(plain))
    assert not teaches(json.dumps({**plain, name: value}))
    assert not teaches(json.dumps({**content, name: value}))
    assert not teaches(json.dumps({name: value, "data": plain})) or name in ("id", "time", "subject", "account", "resources")


@given(json_values | contents | st.floats(), st.text(max_size=20), st.booleans())
def test_any_json_is_read(content: Any, subject: str, named_topic: bool) -> None:
    assert isinstance(read(json.dumps(content), subject, named_topic), (Announced, Withdrawal, Unclear, Foreign))


@given(st.text(alphabet=st.characters(), max_size=300), st.text(alphabet=st.characters()), st.booleans())
def test_any_text_is_read(text: str, subject: str, named_topic: bool) -> None:
    for message in (text, f"GES 2.4.15 {text}", f"{{{text}", f'"{text}"', f"<p>{text}", f"```\n{text}\n```"):
        assert isinstance(read(message, subject, named_topic), (Announced, Withdrawal, Unclear, Foreign))


def test_each_grammar_word_has_one_kind() -> None:
    kinds: dict[str, str] = {}
    for kind, text in GRAMMAR.items():
        for entry in entries(text):
            assert kinds.setdefault(entry, kind) == kind, entry


def test_no_list_repeats_a_word() -> None:
    for text in (*BLOCKING.values(), *GRAMMAR.values(), HARMLESS):
        assert len(entries(text)) == len(set(entries(text)))
