"""The changelog has the form of Keep a Changelog, and its newest version is the one that is built."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SECTIONS = ["Breaking", "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]  # in this order
UNRELEASED, *RELEASED = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)[1:]
HEADING = re.compile(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d)\n")


def heading(version: str) -> tuple[tuple[int, ...], date]:
    """The number and the date of a released version."""
    found = HEADING.match(version)
    assert found, version.splitlines()[0]
    *number, day = found.groups()
    return tuple(map(int, number)), date.fromisoformat(day)


def test_unreleased_changes_come_first() -> None:
    assert UNRELEASED.startswith("[Unreleased]\n")


def test_newer_versions_stand_above_older_ones() -> None:
    for (newer, released), (older, before) in pairwise(map(heading, RELEASED)):
        assert newer > older and released >= before


def test_newest_version_is_the_projects() -> None:
    number, _ = heading(RELEASED[0])
    assert f'\nversion = "{".".join(map(str, number))}"\n' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("version", [UNRELEASED, *RELEASED], ids=lambda text: text.split("\n", 1)[0])
def test_every_entry_stands_under_a_kind_of_change(version: str) -> None:
    before, *sections = re.split(r"^### ", version, flags=re.MULTILINE)
    titles = [section.split("\n", 1)[0] for section in sections]
    assert titles == [title for title in SECTIONS if title in titles]
    assert "\n- " not in before
    assert all("\n- " in section for section in sections)
