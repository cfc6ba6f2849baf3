"""Foreign text is shown on one line, without what no reader sees, and bounded."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ges_upgrader.domain.plain_text import FOLD, plain, plain_lines, visible_json
from ges_upgrader.events.commands import command

UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
ANY = st.text(st.characters(exclude_categories=()) | st.sampled_from("\n\r\t\x00\x1b\x85\u2028\u200b\u202e\ufeff\ud83d ab"))
ORDINARY = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")).filter(str.isprintable) | st.sampled_from(" 图库😀❤️é"))
BOUND = st.integers(1, 200)


def unseen(text: str) -> set[str]:
    return {char for char in text if unicodedata.category(char) in UNSEEN}


@given(ANY, BOUND)
def test_plain_text_has_nothing_unseen(text: str, most: int) -> None:
    assert not unseen(plain(text, most))
    assert not unseen(plain_lines(text, most)) - {"\n"}


@given(ANY, BOUND)
def test_plain_text_is_bounded(text: str, most: int) -> None:
    assert len(plain(text, most)) <= most
    assert len(plain_lines(text, most)) <= most


@given(ANY, BOUND)
def test_cleaning_twice_changes_nothing(text: str, most: int) -> None:
    once, lines = plain(text, most), plain_lines(text, most)
    assert plain(once, most) == once
    assert plain_lines(lines, most) == lines


@given(ORDINARY)
@pytest.mark.parametrize(
    "ends", ["", "图引擎 2.4.15 已升级", "don't panic: 100% – ok", "🚀 ❤️ 🇨🇳", "<b>bold</b> & more", "naïve  café"]
)
def test_ordinary_text_is_unchanged(ends: str, text: str) -> None:
    text = "".join(char for char in text if char not in "\u3164\uffa0\u115f\u1160") + ends
    assert plain(text, 10_000) == text
    assert plain_lines(f"{text}\n  {text}", 10_000) == f"{text}\n  {text}"


@given(st.lists(ANY, min_size=1, max_size=5))
def test_our_own_lines_are_not_multiplied(texts: list[str]) -> None:
    lines = [plain(text, 100) for text in texts]
    assert plain_lines("\n".join(lines), 10_000).split("\n") == lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no space\nRule:     prod", f"no space{FOLD}Rule:     prod"),
        ("a\r\n\r\n  b\n", f"a{FOLD}b"),
        ("a\u2028b\x85c\x0bd", FOLD.join("abcd")),
        ("\x1b[31mred\x1b[0m", "�[31mred�[0m"),
        ("a\x00b", "a�b"),
        ("safe\u202egnp.exe", "safe�gnp.exe"),
        ("de\u200bmo\ufeff", "demo"),
        ("half \ud83d pair", "half � pair"),
        ("a\tb", "a b"),
        ("x" * 30, "x" * 19 + "…"),
    ],
)
def test_what_becomes_of_odd_text(text: str, shown: str) -> None:
    assert plain(text, 20 if text.startswith("xx") else 100) == shown


@given(ANY)
def test_commands_stay_exact_and_visible(name: str) -> None:
    text = command("retry", graph=name)
    assert not unseen(text)
    assert json.loads(text) == {"command": "retry", "graph": name} or any("\ud800" <= char <= "\udfff" for char in name)
    assert plain(text, 10_000) == text


def test_readable_json_is_unchanged() -> None:
    text = json.dumps({"graph": "图库 😀 demo"}, ensure_ascii=False)
    assert visible_json(text) == text
