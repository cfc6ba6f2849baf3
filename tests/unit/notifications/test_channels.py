"""What a channel does not hold is cut where it matters least."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ges_upgrader.notifications.channels import mail, sms


def test_sms_counts_characters_and_not_bytes() -> None:
    text = "图" * 490
    assert sms(text) == text


def test_sms_is_cut_after_a_word() -> None:
    short = sms("GES failed: demo.", "word " * 200)
    assert len(short) <= 490 and short.startswith("GES failed: demo. word") and short.endswith("word…")


def test_sentence_that_matters_stays_whole() -> None:
    matters = f"GES failed: {'x' * 470}."
    assert sms(matters, "More words follow here.").startswith(matters)


@given(st.text(max_size=600), st.text(max_size=2000))
def test_sms_is_always_short_and_without_brackets(matters: str, more: str) -> None:
    short = sms(matters, more)
    assert len(short) <= 490 and "\n" not in short
    assert not set("[]【】") & set(short)


@given(st.integers(0, 60), st.integers(0, 10))
def test_mail_keeps_its_end_within_25_lines(lines: int, end: int) -> None:
    written = [f"line {number}" for number in range(lines)]
    ended = [f"end {number}" for number in range(end)]
    found = mail(written, ended).split("\n")
    assert len(found) <= 25
    assert found[len(found) - end :] == ended
    if lines + end <= 25 and lines + end:
        assert found == written + ended
