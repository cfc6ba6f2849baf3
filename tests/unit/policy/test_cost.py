"""What a policy costs grows with its text, whatever is wrong with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from ges_upgrader.cloud.platform import Platform
from ges_upgrader.diagnosis.explain import explain
from ges_upgrader.diagnosis.lint import warnings
from ges_upgrader.planning.planner import plan_of
from ges_upgrader.policy.parsing import PolicyError, parse_policy
from tests.builders import TOPIC, graph, history, policy_text, survey
from tests.journeys.runs import Context, World

HEAD = f"notify: {TOPIC}\nstate: none\n"
RULE = "{{rrule: 'FREQ=YEARLY;BYMONTH={};BYDAY=MO,TU,WE,TH,FR;BYSETPOS={}', start: '02:00', duration: 2h, timezone: UTC}}"
NEVER = "{{rrule: 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30', start: '{:02}:00', duration: 4h, timezone: UTC}}"


def windows(count: int, window: Callable[[int], str]) -> str:
    return HEAD + "rules:\n- windows:\n" + "".join(f"  - {window(number)}\n" for number in range(count))


def errors(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text)
    return caught.value.problems


def cost(text: str) -> float:
    """The seconds of CPU that the text takes, the least of three times."""
    spent = []
    for _ in range(3):
        begin = time.process_time()
        with suppress(PolicyError):
            parse_policy(text)
        spent.append(time.process_time() - begin)
    return min(spent)


BAD: dict[str, Callable[[int], str]] = {
    "windows": lambda count: windows(count, lambda number: f"Sun {number} 02:00-06:00"),
    "recurrences": lambda count: windows(count, lambda number: RULE.format(1, f"{number + 400}")),
    "keys": lambda count: HEAD + "rules: [{}]\n" + "".join(f"key{number}: 1\n" for number in range(count * 4)),
    "nothings": lambda count: HEAD + "rules:\n" + "- {cutoff: , versions: }\n" * count,
    "references": lambda count: HEAD + "rules:\n" + "".join(f"- {{name: r{n}, after: [x{n}]}}\n" for n in range(count)),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_no_more_than_fifty_errors_are_reported(bad: Callable[[int], str]) -> None:
    assert len(errors(bad(1000))) == 50


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_cost_grows_no_faster_than_the_text(bad: Callable[[int], str]) -> None:
    small, large = bad(500), bad(2000)
    assert cost(large) < cost(small) * 4 * 2.5


def test_windows_that_never_open_have_bounded_cost() -> None:
    few, many = (windows(count, lambda number: NEVER.format(number % 24)) for count in (24, 240))
    assert len(errors(many)) <= 50
    assert cost(many) < cost(few) * 3


def test_yearly_windows_cost_little() -> None:
    """A legal policy of a thousand rare windows: no more than a few times what its text takes."""
    rare = windows(1000, lambda number: RULE.format(number % 12 + 1, number % 20 + 1))
    assert cost(rare) < cost(rare.replace("BYSETPOS", "BYSETPAS")) * 6


def test_rare_windows_are_planned_at_the_cost_of_their_parse() -> None:
    """Twenty rules of fifty rare windows each: planning, warnings and explanations look at them a few times."""
    fifty = ", ".join(RULE.format(number % 12 + 1, number % 20 + 1) for number in range(50))
    text = policy_text("[" + ", ".join(f"{{match: {{name: g{rule}}}, windows: [{fifty}]}}" for rule in range(20)) + "]")
    parsed = cost(text)
    begin = time.process_time()
    seen = survey(parse_policy(text), [graph(f"g{number}") for number in range(20)], history("2.4.15"))
    assert len(explain(seen, plan_of(seen))) == 20
    assert warnings(seen)
    assert time.process_time() - begin < parsed * 25


def platform(text: str) -> Platform:
    return Platform(Context({"POLICY": text}, lambda: timedelta(hours=1)))


def test_an_instance_parses_a_text_once() -> None:
    instance = World().instance
    first = instance.policy_of(platform(policy_text()))
    assert instance.policy_of(platform(policy_text())) is first
    assert instance.policy_of(platform(policy_text(enabled="false"))).enabled is False
    assert instance.policy_of(platform(policy_text())).enabled is True


def test_a_refused_text_is_parsed_once() -> None:
    world = World(BAD["keys"](4000))
    spent = []
    for _ in range(3):
        begin = time.process_time()
        assert len(world.run()["errors"]) == 50
        spent.append(time.process_time() - begin)
    assert max(spent[1:]) < spent[0] / 3


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_bytes("notify: x # \u56fe\u5e93".encode("gbk"))
    context = Context({"POLICY_FILE": str(tmp_path / "policy.yaml")}, lambda: timedelta(hours=1))
    with pytest.raises(PolicyError, match="not encoded in UTF-8"):
        World().instance.policy_of(Platform(context))
