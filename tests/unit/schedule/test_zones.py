"""Names of time zones: whose data count, which names are refused, and what the refusal advises."""

from __future__ import annotations

import os
import subprocess
import sys
import zoneinfo
from datetime import datetime, timedelta
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import pytest

from ges_upgrader.schedule.zones import named, source, zone

FUNCTION = Path(__file__).parents[3] / "function"
PACKAGED = Path(str(files("tzdata"))) / "zoneinfo"
ASKED = "from ges_upgrader.schedule.zones import zone; from datetime import datetime; import sys; " + (
    "print(datetime(2026, 7, 1, tzinfo=zone(sys.argv[1])).utcoffset())"
)


def test_packaged_zones_win_over_the_systems(tmp_path: Path) -> None:
    """The system's Shanghai is here the data of Tokyo, and the system alone has a zone Mars."""
    (tmp_path / "Asia").mkdir()
    for name in ("Asia/Shanghai", "Mars"):
        (tmp_path / name).write_bytes((PACKAGED / "Asia/Tokyo").read_bytes())
    environment = {**os.environ, "PYTHONTZPATH": str(tmp_path), "PYTHONPATH": str(FUNCTION)}

    def asked(name: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", ASKED, name]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    assert asked("Asia/Shanghai").stdout.strip() == "8:00:00"
    assert "'Mars' is no IANA time zone" in asked("Mars").stderr


def test_tests_use_the_packaged_zones_too() -> None:
    assert list(zoneinfo.TZPATH) == [str(PACKAGED)]


def test_the_log_names_version_and_place_of_the_data() -> None:
    release, folder = source().split()
    assert folder == str(PACKAGED)
    assert release.startswith(version("tzdata")[:4])


@pytest.mark.parametrize(
    "name", ["", "Planet", "localtime", "posixrules", "Factory", "posix/UTC", "right/UTC", "/etc/passwd", "x" * 5000, None, 5]
)
def test_what_is_no_zone_is_refused(name: object) -> None:
    with pytest.raises(ValueError, match=r"is no IANA time zone; (accepted are|did you mean)"):
        zone(name)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Asia/Shangai", "did you mean Asia/Shanghai?"),
        ("asia/shanghai", "did you mean Asia/Shanghai?"),
        ("Shanghai", "did you mean Asia/Shanghai?"),
        ("Asia/Hong Kong", "did you mean Asia/Hong_Kong?"),
        ("Europe/Berln", "did you mean Europe/Berlin?"),
        ("utc", "did you mean UTC?"),
        ("Asia/Beijing", "write Asia/Shanghai"),
        ("Beijing", "write Asia/Shanghai"),
        ("China Standard Time", "write Asia/Shanghai"),
        ("北京时间", "write Asia/Shanghai"),
        ("CST", "it stands for several: write Asia/Shanghai or America/Chicago"),
        ("PST", "write America/Los_Angeles"),
        ("W. Europe Standard Time", "write Europe/Berlin"),
        ("UTC+8", "write the zone of a place, such as Asia/Shanghai or Asia/Singapore"),
        ("GMT+8", "write the zone of a place, such as Asia/Shanghai or Asia/Singapore"),
        ("UTC+08:00", "write the zone of a place, such as Asia/Shanghai or Asia/Singapore"),
        ("+0800", "write the zone of a place, such as Asia/Shanghai or Asia/Singapore"),
        ("UTC-5", "write the zone of a place, such as America/New_York"),
    ],
)
def test_a_refused_zone_comes_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match="is no IANA time zone; ") as refused:
        zone(name)
    assert str(refused.value).endswith(hint)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Etc/GMT+8", "'Etc/GMT+8' means UTC-8, as its sign is reversed; write the zone of a place, such as Asia/Shanghai or"),
        (
            "Etc/GMT-8",
            "'Etc/GMT-8' means UTC+8, as its sign is reversed; write the zone of a place, such as America/Los_Angeles",
        ),
        ("EST", "'EST' means UTC-5 all year, without summer time; write the zone of a place, such as America/New_York"),
        ("MST", "means UTC-7 all year"),
        ("HST", "means UTC-10 all year"),
    ],
)
def test_a_zone_that_misleads_is_refused(name: str, words: str) -> None:
    with pytest.raises(ValueError, match="such as") as refused:
        zone(name)
    assert words in str(refused.value)


def test_every_accepted_zone_means_what_it_says() -> None:
    """Those of UTC and of countries apart, no accepted name is an abbreviation without summer time."""
    for name in sorted(zoneinfo.available_timezones()):
        try:
            where = zone(name)
        except ValueError:
            continue
        offsets = {datetime(2026, month, 1, tzinfo=where).utcoffset() for month in (1, 7)}
        fixed = len(offsets) == 1 and offsets != {timedelta()}
        assert not (fixed and (name.startswith("Etc/") or (name.isupper() and name not in ("PRC", "ROC", "ROK", "W-SU"))))


def test_names_that_mislead_can_still_be_read() -> None:
    assert named("Etc/GMT+8") is not None
    assert named("Planet") is None
