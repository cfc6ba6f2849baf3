from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version as Pep440

from ges_upgrader.domain.version import Version

parts = st.lists(st.integers(0, 999), min_size=3, max_size=4)


def test_components_are_compared_as_numbers() -> None:
    assert Version("2.4.9") < Version("2.4.15")


def test_a_missing_fourth_component_is_zero() -> None:
    assert Version("2.4.15") == Version("2.4.15.0")
    assert hash(Version("2.4.15")) == hash(Version("2.4.15.0"))


def test_versions_that_differ_are_told_apart_by_their_hashes() -> None:
    assert len({hash(Version(f"2.4.{number}")) for number in range(100)}) > 50


def test_what_was_written_is_kept_for_the_api_less_a_leading_v() -> None:
    assert str(Version(" v2.4.15 ")) == "2.4.15"


@pytest.mark.parametrize("text", ["", "2.4", "2.4.5.6.7", "2.4.x", "2.4.6-rc1", "2..4.6", "２.４.６", "2.4.-6", "2.4.6\n2.4.7"])
def test_anything_but_three_or_four_numbers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="three or four numbers"):
        Version(text)


def test_of_a_long_text_that_is_refused_80_characters_are_quoted() -> None:
    with pytest.raises(ValueError, match=f"found '{'x' * 80}'$"):
        Version("x" * 99)


@given(parts, parts)
def test_the_order_is_that_of_pep_440(one: list[int], other: list[int]) -> None:
    mine, theirs = ".".join(map(str, one)), ".".join(map(str, other))
    assert (Version(mine) < Version(theirs)) == (Pep440(mine) < Pep440(theirs))
    assert (Version(mine) == Version(theirs)) == (Pep440(mine) == Pep440(theirs))
