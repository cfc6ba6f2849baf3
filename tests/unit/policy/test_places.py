"""Every error of a policy says on which line and in which column it is."""

from __future__ import annotations

import re
from datetime import datetime, timezone

import pytest

from ges_upgrader.policy.parsing import PolicyError, parse_policy
from ges_upgrader_cli.checking.findings import check_policy
from tests.builders import TOPIC

HEAD = f"notify: {TOPIC}\n"
MANY = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{last}'] * 10)}]\n" for last, name in ("ab", "bc", "cd", "de")
)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", (1, 1)),
        ("\n# only a comment", (1, 1)),
        ("\n- a", (2, 1)),
        ("notify", (1, 1)),
        ("# mine\nrules: [{}]", (2, 1)),
        (f"\n{HEAD}", (2, 1)),
        (f"{HEAD}rules: [{{soak: 1d}}]", (1, 1)),
        (f"{HEAD}rules: [{{}}]\nx: !!int 5", (3, 4)),
        (f"{HEAD}rules: [{{}}]\n{HEAD}", (3, 1)),
        (f"{HEAD}rules: [{{}}]\n<<: {{a: 1}}", (3, 1)),
        (f"{HEAD}rules: [{{}}]\n5: a", (3, 1)),
        (f"{HEAD}rules: [{{max_graphs: 1234567890123456789012}}]", (2, 22)),
        (f"{HEAD}rules: {'[' * 50}{']' * 50}", (2, 40)),
        (f"{HEAD}rules: {'[' * 5000}", (2, 40)),
        (f"{HEAD}rules: &a [*a]", (2, 8)),
        (f"{MANY}f: [*e, *e]", (1, 16)),
        (f"{HEAD}rules: [{{name: \x01}}]", (2, 16)),
        (f"{HEAD}rules: [", (2, 9)),
        (f'{HEAD}rules: [{{name: "\\ud800"}}]', (2, 16)),
        (f'{{"notify": "{TOPIC}",\n "rules": [{{"name": "NaN", "max_graphs": NaN}}]}}', (2, 42)),
        (f'{{"notify": "{TOPIC}",\n "rules": [{{"max_graphs": 1234567890123456789012}}]}}', (2, 27)),
        (f'{{"notify": "{TOPIC}",\n "rules": [{{"name": "\\ud800"}}]}}', (2, 21)),
        (f'{{"notify": "{TOPIC}",\n\t"rules": [{{"name": 5}}]}}', (2, 21)),
    ],
)
def test_error_names_its_line_and_column(text: str, place: tuple[int, int]) -> None:
    with pytest.raises(PolicyError) as refused:
        parse_policy(text)
    (problem,) = refused.value.problems
    match = re.search(r"line (\d+), column (\d+)", problem)
    assert match is not None, problem
    assert (int(match[1]), int(match[2])) == place
    (finding,) = check_policy(text, datetime(2026, 12, 1, tzinfo=timezone.utc)).findings
    assert finding.place is not None and (finding.place.line, finding.place.column) == place
    assert "column" not in finding.text
