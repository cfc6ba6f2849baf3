"""What a window that cannot be read was likely meant to be."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ges_upgrader.schedule.window_hints import meant
from ges_upgrader.schedule.windows import Window


def refusal(text: str) -> str:
    with pytest.raises(ValueError, match=r".+") as refused:
        Window(text)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("Monday-Friday 02:00-06:00 UTC", "Mon-Fri 02:00-06:00 UTC"),
        ("Saturdays 02:00-06:00 UTC", "Sat 02:00-06:00 UTC"),
        ("Sat Sun 02:00-06:00 UTC", "Sat,Sun 02:00-06:00 UTC"),
        ("Sat, Sun 02:00-06:00 UTC", "Sat,Sun 02:00-06:00 UTC"),
        ("Sat and Sun 02:00-06:00 UTC", "Sat,Sun 02:00-06:00 UTC"),
        ("Mon to Fri 02:00-06:00 UTC", "Mon-Fri 02:00-06:00 UTC"),
        ("Sun 2am-6am Asia/Shanghai", "Sun 02:00-06:00 Asia/Shanghai"),
        ("Sun 10:30 pm - 2 am UTC", "Sun 22:30-02:00 UTC"),
        ("Sun 12am-12pm UTC", "Sun 00:00-12:00 UTC"),
        ("Sun 2:00-6:00 UTC", "Sun 02:00-06:00 UTC"),
        ("Sun 02:00 - 06:00 UTC", "Sun 02:00-06:00 UTC"),
        ("Sun 02:00–06:00 UTC", "Sun 02:00-06:00 UTC"),
        ("Sun 02：00-06：00 UTC", "Sun 02:00-06:00 UTC"),
        ("Sun 02:00:00-06:00:00 UTC", "Sun 02:00-06:00 UTC"),
        ("02:00-06:00 UTC", "* 02:00-06:00 UTC"),
        ("daily 02:00-06:00 UTC", "* 02:00-06:00 UTC"),
        ("every day 02:00-06:00 UTC", "* 02:00-06:00 UTC"),
        ("weekends 02:00-06:00 UTC", "Sat,Sun 02:00-06:00 UTC"),
        ("周六,周日 02:00-06:00 UTC", "Sat,Sun 02:00-06:00 UTC"),
        ("Sun 02:00-06:00", "Sun 02:00-06:00 Asia/Shanghai"),
    ],
)
def test_a_refused_window_comes_with_what_was_meant(text: str, window: str) -> None:
    assert refusal(text).endswith(f"`{window}`?")
    assert Window(window)


def test_a_window_with_a_wrong_zone_says_which() -> None:
    assert "write Asia/Shanghai" in refusal("Sun 02:00-06:00 China Standard Time")
    assert refusal("Sunday 2:00-6:00 Asia/Beijing").endswith("'Asia/Beijing' is no IANA time zone; write Asia/Shanghai")
    assert refusal("Sun 02:00-06:00 CST").count("CST") == 1


@pytest.mark.parametrize(
    "text", ["", "soon", "Sun", "Sun 25:00-26:00 UTC", "Sun 13pm-14pm UTC", "Someday 02:00-06:00 UTC", "x" * 9999]
)
def test_what_means_nothing_gets_no_guess(text: str) -> None:
    assert "did you mean" not in refusal(text)


@given(st.text(st.sampled_from("MonSatu ,-0123456789:apmUTC/*"), max_size=40))
def test_a_hint_is_a_window_or_lacks_its_zone(text: str) -> None:
    try:
        Window(text)
    except ValueError as error:
        for hint in re.findall("did you mean `([^`]*)`", str(error)):
            assert Window(hint.replace("<zone>", "UTC"))
    assert meant(text) is None or meant(text)
