"""`ges-upgrader freezes import`: what a calendar's events become."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ges_upgrader.policy.parsing import parse_policy
from tests.builders import TOPIC
from tests.cli.commands import run


@pytest.fixture
def calendar(tmp_path: Path) -> Path:
    return tmp_path / "freezes.ics"


def freezes(calendar: Path, *events: str, arguments: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """What the events become, seen from 1 December 2026."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN"]
    for number, event in enumerate(events):
        lines += ["BEGIN:VEVENT", f"UID:{number}", "DTSTAMP:20260101T000000Z", *event.split("\n"), "END:VEVENT"]
    calendar.write_bytes("\r\n".join([*lines, "END:VCALENDAR", ""]).encode())
    ran = run("freezes", "import", calendar, "--at", "2026-12-01", "--json", *arguments)
    assert ran.exit_code == 0, ran.output
    return list(json.loads(ran.stdout))


def test_whole_days_end_when_the_next_begins(calendar: Path) -> None:
    event = "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20270104\nSUMMARY:年终 year end"
    found = freezes(calendar, event, arguments=("--timezone", "Asia/Shanghai", "--rule", "prod"))
    written = {"from": "2026-12-24", "until": "2027-01-04", "timezone": "Asia/Shanghai", "reason": "年终 year end"}
    assert found == [{**written, "rules": ["prod"]}]


@pytest.mark.parametrize(
    ("event", "begin", "end"),
    [
        ("DTSTART:20261224T180000Z\nDTEND:20261225T180000Z", "2026-12-24T18:00:00Z", "2026-12-25T18:00:00Z"),
        ("DTSTART;TZID=Asia/Shanghai:20261224T020000\nDURATION:PT6H", "2026-12-23T18:00:00Z", "2026-12-24T00:00:00Z"),
        ("DTSTART;VALUE=DATE:20261224", "2026-12-24", "2026-12-25"),
        ("DTSTART:20261224T180000\nDTEND:20261225T180000", "2026-12-24T18:00:00", "2026-12-25T18:00:00"),
    ],
)
def test_event_of_each_form(calendar: Path, event: str, begin: str, end: str) -> None:
    (found,) = freezes(calendar, event)
    assert (found["from"], found["until"]) == (begin, end)


def test_recurring_event_is_written_out(calendar: Path) -> None:
    event = (
        "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=14\nEXDATE;VALUE=DATE:20261231\nSUMMARY:month end"
    )
    found = freezes(calendar, event, arguments=("--timezone", "Asia/Shanghai"))
    assert [(one["from"], one["until"]) for one in found] == [("2027-01-31", "2027-02-01"), ("2027-02-28", "2027-03-01")]


def test_past_cancelled_and_other_events_are_left_out(calendar: Path) -> None:
    past = "DTSTART;VALUE=DATE:20251224\nSUMMARY:freeze"
    cancelled = "DTSTART;VALUE=DATE:20261224\nSTATUS:CANCELLED\nSUMMARY:freeze"
    other = "DTSTART;VALUE=DATE:20261224\nSUMMARY:party"
    assert freezes(calendar, past, cancelled, other, arguments=("--containing", "Freeze")) == []


def test_printed_freezes_fit_a_policy(calendar: Path) -> None:
    freezes(calendar, "DTSTART:20261224T180000Z\nDTEND:20261225T180000Z\nSUMMARY:a: b")
    printed = run("freezes", "import", calendar, "--at", "2026-12-01").stdout
    policy = parse_policy(f"notify: {TOPIC}\nstate: none\nrules: [{{}}]\n{printed}")
    assert [freeze.reason for freeze in policy.freezes] == ["a: b"]


@pytest.mark.parametrize("content", [None, b"nothing", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n"])
def test_unusable_file_is_one_line(calendar: Path, content: bytes | None) -> None:
    if content is not None:
        calendar.write_bytes(content)
    ran = run("freezes", "import", calendar)
    assert (ran.exit_code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
