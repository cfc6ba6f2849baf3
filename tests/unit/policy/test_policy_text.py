"""Text means what it says, or is refused with its line."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ges_upgrader.policy.yaml_text import UnreadableText, read


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a: 010", 10),
        ("a: 08", 8),
        ("a: -5", -5),
        ("a: 0x10", "0x10"),
        ("a: 1_000", "1_000"),
        ("a: 2.5", 2.5),
        ("a: '5'", "5"),
        ("a: True", True),
        ("a: on", "on"),
        ("a: ~", None),
        ("a:", None),
        ("a: ''", ""),
        ("a: 02:00", "02:00"),
        ("a: 2026-10-01", "2026-10-01"),
        ("a: [1, {b: c}]", [1, {"b": "c"}]),
        ('{"a": "\\ud83d\\ude00"}', "\U0001f600"),
        ("{a: 1}", 1),
    ],
)
def test_a_scalar_is_what_yaml_1_2_says(text: str, meant: Any) -> None:
    assert read(text) == {"a": meant}
    assert type(read(text)["a"]) is type(meant)


def test_what_an_alias_repeats_is_written_out_so_that_each_is_by_itself() -> None:
    once, again = read("- &a [x, y]\n- *a")
    assert once == again == ["x", "y"]
    assert once is not again


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: !!int '08'", "line 2: the tag !!int: there are no tags here; write text in quotes"),
        ("a: !!timestamp x", "line 1: the tag !!timestamp"),
        ("a: !!python/object:os.system x", "line 1: the tag !!python/object:os.system"),
        ("a: !mine {b: 1}", "line 1: the tag !mine"),
        ("a: ! 5", "line 1: the tag !"),
        (
            "x: &x {b: 1}\ny:\n  <<: *x",
            "line 3: << merges nothing here; write the fields out, or give a whole value by its alias",
        ),
        ("a: 1\na: 2", "line 2: the key 'a' is given twice"),
        ("1: 2", "line 1: the key 1 is not text"),
        ("[a]: 2", "line 1: the key ['a'] is not text"),
        ("? {a: 1}\n: 2", "line 1: the key {'a': 1} is not text"),
        ('{"a": 1, "a": 2}', "the key 'a' is given twice"),
        ("a: " + "9" * 19, f"line 1: {'9' * 19} has more than 18 digits; text is written in quotes"),
        ("a: " + "9" * 5000, "has more than 18 digits"),
        ('{"a": ' + "9" * 5000 + "}", "has more than 18 digits"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": "\\ud800"}', "'\\ud800' is no text in Unicode"),
        ('{"\\ud800": 1}', "'\\ud800' is no text in Unicode"),
        ('a: "\\ud800"', "'\\ud800' is no text in Unicode"),
        ('a: "\\UFFFFFFFF"', ""),
        ("a: &a [*a]", "nested too deep"),
        ("a: &a {b: *a}", "nested too deep"),
        ('{"a": ' + "[" * 90 + "]" * 90 + "}", "nested too deep"),
        ("[" * 5000, "nested too deep"),
        ("a: [", "line 1: "),
        ("a: 1\n---\na: 2", "line 2: a second document begins here"),
        ("\0", "unacceptable character"),
        ("a: *b", "line 1: found undefined alias"),
    ],
)
def test_what_is_neither_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(UnreadableText) as refused:
        read(text)
    assert words in re.sub(r"(?<=line )(\d+), column \d+", r"\1", str(refused.value))


def test_aliases_of_aliases_are_refused_before_they_fill_the_memory() -> None:
    doubled = "\n".join(f"- &a{level} [*a{level - 1}, *a{level - 1}]" for level in range(1, 30))
    with pytest.raises(UnreadableText, match="more than 100000 values"):
        read(f"- &a0 [x]\n{doubled}")
