"""Whatever text is given: a policy that can be worked with, or a PolicyError, and nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from datetime import date, datetime, timezone
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from ges_upgrader.diagnosis.lint import warnings
from ges_upgrader.policy.parsing import PolicyError, parse_policy
from ges_upgrader.policy.schema import fingerprint
from ges_upgrader.policy.yaml_text import read
from tests.builders import TOPIC, graph, history, survey
from tests.journeys.runs import World, only
from tests.unit.policy.test_schema import SCHEMA, WHOLE, paths

RAW = read(WHOLE)
VALUES: list[Any] = [
    *(None, True, 0, 1, -1, 2.5, 10**17, "", " ", "x", "none", "auto", "always", "required", "7d", "0d", "999999d", "10%", "*"),
    *("2.4.15", ">=2.4.4", ">3,<2", ",", "2026-12-24", "2099-12-31T23:59:59-23:59", "2026-02-30", "UTC", "Mars", "prod", "dev"),
    *(
        "Sun 02:00-06:00 Africa/Cairo",
        "* 00:00-24:00 UTC",
        "Sun 02:00-02:20 UTC",
        "0 15 2 * * ?",
        "@every 1h",
        "\0",
        "\n",
        "<<",
    ),
    *("FREQ=DAILY", "FREQ=DAILY;INTERVAL=9999", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=WEEKLY;BYDAY=3TH", "02:00"),
    *("2099-12-31T23:59", "366d", "3650d", [], {}, [None], [[]], {"x": None}, {"default": "1d"}, {"after": "1d"}, ["prod"]),
]
SNIPPETS = [
    *(
        "!!int ",
        "!x ",
        "&a ",
        "*a",
        "<<: *a",
        "~",
        "\t",
        "\n",
        "\n  ",
        "  ",
        ": ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "'",
        '"',
        "|",
        ">",
    ),
    *(
        "#",
        "%YAML 1.1\n",
        "---\n",
        "...",
        "? ",
        ",",
        "0",
        "9" * 30,
        "é",
        "\ud800",
        "\\U00110000",
        '"\\UFFFFFFFF"',
        "null",
        "08",
    ),
]


@st.composite
def mutated_values(draw: st.DrawFn) -> str:
    """The whole policy with some values replaced, moved, taken away or given another name."""
    policy = copy.deepcopy(RAW)
    for _ in range(draw(st.integers(1, 3))):
        places = list(paths(policy)) or [("notify",)]
        *above, key = draw(st.sampled_from(places))
        parent = at_path(policy, above)
        what = draw(st.sampled_from(["replace", "replace", "move", "take", "rename"]))
        if what == "replace":
            parent[key] = draw(st.sampled_from(VALUES))
        elif what == "move":
            parent[key] = copy.deepcopy(at_path(policy, draw(st.sampled_from(places))))
        else:
            value = parent.pop(key)
            if what == "rename" and isinstance(parent, dict):
                parent[draw(st.sampled_from([key.upper(), key[:-1], "x - at `$.rules", "", "a.b[0]"]))] = value
    return json.dumps(policy)


def at_path(value: Any, path: Sequence[Any]) -> Any:
    for key in path:
        value = value[key]
    return value


@st.composite
def mutated_texts(draw: st.DrawFn) -> str:
    text = WHOLE
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(text)))
        end = begin + draw(st.integers(0, 12))
        text = text[:begin] + draw(st.sampled_from(SNIPPETS)) + text[end:]
    return text


yaml_like = st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=4) | st.sampled_from(["rules", "notify", "a"]), max_size=30)


@given(mutated_values() | mutated_texts() | yaml_like.map("".join) | st.text())
def test_any_text_is_a_policy_that_can_be_worked_with_or_a_policy_error(text: str) -> None:
    try:
        policy = parse_policy(text)
    except PolicyError:
        return
    assert fingerprint(policy)
    assert policy.memory
    jsonschema.Draft202012Validator(SCHEMA).validate(read(text))


ZONES = ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Pacific/Apia"]
dates = st.dates(date(2024, 1, 1), date(2038, 12, 31)).map(str)
ends = st.sampled_from(["", ";COUNT=1", ";COUNT=3", ";INTERVAL=2", ";UNTIL=20270301T000000"])
rrules = st.builds(
    lambda rule, end: rule + end,
    st.sampled_from(
        ["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY;BYDAY=3TH", "FREQ=YEARLY", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"]
    ),
    ends,
)
recurring = st.fixed_dictionaries(
    {
        "rrule": rrules,
        "start": dates.map(lambda day: f"{day}T02:00"),
        "duration": st.sampled_from(["30m", "1h", "4h", "38h", "366d"]),
        "timezone": st.sampled_from(ZONES),
    }
)
windows = recurring | st.sampled_from(["Sun 02:00-02:30 UTC", "Sun 02:00-06:00 Asia/Shanghai", "always"])
freezes = st.tuples(dates, dates).map(sorted).map(lambda days: {"from": days[0], "until": days[1]}) | windows.map(
    lambda window: {"when": window}
)
timed_policies = st.fixed_dictionaries(
    {
        "notify": st.just(TOPIC),
        "state": st.just("none"),
        "freezes": st.lists(freezes, max_size=3),
        "rules": st.lists(
            st.fixed_dictionaries(
                {
                    "windows": st.lists(windows, min_size=1, max_size=3),
                    "cutoff": st.sampled_from(["0m", "30m", "1h", "auto"]),
                }
            ),
            min_size=1,
            max_size=2,
        ),
    }
)


instants = st.datetimes(datetime(2024, 1, 1), datetime(2038, 12, 31), timezones=st.just(timezone.utc))


@settings(max_examples=25)
@given(timed_policies.map(json.dumps), st.lists(instants, min_size=2, max_size=4))
def test_an_accepted_policy_is_accepted_at_every_instant(text: str, moments: list[datetime]) -> None:
    results = []
    for moment in moments:
        world = World(text, now=moment)
        world.graph()
        results.append(world.run({"command": "plan"}))
    refused = [any(error.startswith("policy") for error in result["errors"]) for result in results]
    assert len(set(refused)) == 1, results
    assert refused[0] or all(only(result)["reason"] for result in results)


@given(timed_policies.map(json.dumps), instants)
def test_warnings_can_be_made_at_every_instant(text: str, moment: datetime) -> None:
    try:
        under = parse_policy(text)
    except PolicyError:
        return
    assert all(warnings(survey(under, [graph("demo")], history("2.4.15"), moment)))
