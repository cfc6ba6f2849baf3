"""Wrong policies, as people write them: each check names the line, the rule, what was found and what to write.

`found` is what stands under the caret; `write` is in the text below it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.builders import TOPIC
from tests.cli.commands import run

HEAD = f"notify: {TOPIC}\nstate: none\n"
# A line of a rule, what the caret is under, and a part of the text that says what to write.
OF_A_RULE = """\
soak: 3 | 3 | as 90m, 36h or 7d
soak: 3 days | 3 days | as 90m, 36h or 7d
soak: -1d | -1d | as 90m, 36h or 7d
soak: 1h30m | 1h30m | as 90m, 36h or 7d
soak: PT48H | PT48H | as 90m, 36h or 7d
soak: 99999d | 99999d | 3650d
notice: true | true | as 90m, 36h or 7d
notice: 24 | 24 | as 90m, 36h or 7d
spread: "1 h" | "1 h" | as 90m, 36h or 7d
job_timeout: 120 | 120 | as 90m, 36h or 7d
backup_max_age: 0d | 0d | as 24h
backup_max_age: never | never | 36h
approval_lifetime: 0h | 0h | as 24h
cutoff: 30 | 30 | 90m, 36h or 7d
cutoff: automatic | automatic | auto
min_release_age: week | week | 7d
min_release_age: 7 | 7 | 7d
min_release_age: {security: 1d} | {security: 1d} | default
min_release_age: {default: 7d, urgent: 1d} | {default: 7d, urgent: 1d} | critical
mode: automatic | automatic | auto, approve or notify
mode: manual | manual | auto, approve or notify
mode: Auto | Auto | auto, approve or notify
mode: true | true | auto, approve or notify
backup: yes | yes | none
backup: true | true | required
backup_keep: 0 | 0 | 1 to 10
backup_keep: 11 | 11 | 1 to 10
backup_keep: all | all | 1 to 10
force: yes | yes | never
force: {after: 24} | {after: 24} | 36h
force: after 24h | after 24h | {after: 24h}
max_graphs: 0 | 0 | from 1
max_graphs: many | many | from 1
max_graphs: 10% | 10% | from 1
max_concurrent: 0 | 0 | from 1
max_concurrent: 0% | 0% | 1% to 100%
max_concurrent: 101% | 101% | 1% to 100%
max_concurrent: 2.5 | 2.5 | from 1
max_concurrent: "2" | "2" | from 1
max_failures: -1 | -1 | from 1
max_failures: none | none | from 1
versions: latest | latest | PEP 440
versions: 2.4.15 | 2.4.15 | PEP 440
versions: ">=2.4,<2.3" | ">=2.4,<2.3" | can meet
versions: "^2.4" | "^2.4" | PEP 440
versions: ">=2.4 <3" | ">=2.4 <3" | PEP 440
versions: [">=2.4"] | [">=2.4"] | PEP 440
windows: Sunday | Sunday | Sat,Sun 02:00-06:00
windows: [] | [] | always
windows: ["Sun 2:00-6:00 UTC"] | "Sun 2:00-6:00 UTC" | Sat,Sun 02:00-06:00
windows: ["Sun 02:00-06:00"] | "Sun 02:00-06:00" | Sat,Sun 02:00-06:00
windows: ["Sunday 02:00-06:00 UTC"] | "Sunday 02:00-06:00 UTC" | Mon, Tue, Wed
windows: ["Sun 02:00-02:00 UTC"] | "Sun 02:00-02:00 UTC" | 00:00-24:00
windows: ["Sun 24:00-02:00 UTC"] | "Sun 24:00-02:00 UTC" | 23:59
windows: ["Sun 02:00-25:00 UTC"] | "Sun 02:00-25:00 UTC" | 00:00 to 24:00
windows: ["Sun 02:60-06:00 UTC"] | "Sun 02:60-06:00 UTC" | 00:00 to 24:00
windows: ["Sun 02:00-06:00 Asia/Shangai"] | Asia/Shangai | Asia/Shanghai
windows: ["Sun 02:00-06:00 CST"] | CST | Asia/Shanghai
windows: ["Sun 02:00-06:00 UTC+8"] | UTC+8 | Asia/Shanghai
windows: ["Sun 02:00-06:00 Etc/GMT+8"] | Etc/GMT+8 | Asia/Shanghai
windows: [{rrule: "FREQ=WEEKLY"}] | {rrule: "FREQ=WEEKLY"} | duration
windows: [{rrule: "FREQ=WEEKLY;BYDAY=XX", start: "02:00", duration: 4h, timezone: UTC}] | {rrule | MO
windows: [{rrule: "every week", start: "02:00", duration: 4h, timezone: UTC}] | {rrule | FREQ=
windows: [{rrule: "FREQ=HOURLY", start: "02:00", duration: 4h, timezone: UTC}] | {rrule | DAILY
windows: [{rrule: "FREQ=DAILY", start: "2am", duration: 4h, timezone: UTC}] | {rrule | 23:00
windows: [{rrule: "FREQ=DAILY", start: "02:00", duration: 0h, timezone: UTC}] | {rrule | more than nothing
windows: [{rrule: "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", start: "02:00", duration: 4h, timezone: UTC}] | {rrule | date
match: prod | prod | {name: 'dev_*'}
match: {tag: {env: prod}} | tag | did you mean tags
match: {tags: [prod]} | [prod] | {env: prod}
match: {tags: {}} | {} | {env: prod}
match: {tags: {env: 1}} | {env: 1} | quotes
match: {name: ""} | "" | a text
match: {name: 5} | 5 | a text
after: dev | dev | accepted are prod
after: [dev] | dev | prod
health_check: maybe | maybe | {cypher, rows}
health_check: {rows: [[1]]} | [[1]] | cypher
windws: [always] | windws | did you mean windows
maxConcurrent: 2 | maxConcurrent | did you mean max_concurrent
min-release-age: 7d | min-release-age | did you mean min_release_age
colour: red | colour | accepted are
soak: | soak | leave the field out
"""
# The same for a line of the policy itself.
OF_THE_POLICY = """\
version: 2 | 2 | 1
enabled: maybe | maybe | true or false
enabled: "true" | "true" | true or false
api: v3 | v3 | auto, v2 or v1.0
follow_up: always | always | timer or invoke
journal_keep: 180 | 180 | 7d
release_topics: ges-releases | ges-releases | urn:smn:
release_topics: [ges-releases] | ges-releases | urn:smn:
releases: [2.4.15] | 2.4.15 | version
releases: [{version: 2.4}] | 2.4 | 2.4.15
releases: [{version: latest}] | latest | 2.4.15
releases: [{version: 2.4.15, released_at: yesterday}] | yesterday | 2026-10-01
projects: [] | [] | {region, project_id}
projects: [{region: cn-north-4}] | {region: cn-north-4} | project_id
timers: [hourly] | hourly | 0 15 2
freezes: [{from: 2026-12-24}] | {from: 2026-12-24} | until
freezes: [{from: 2027-01-04, until: 2026-12-24}] | 2026-12-24 | after
freezes: [{from: 24.12.2026, until: 2027-01-04}] | 24.12.2026 | 2026-12-24
freezes: [{from: 2026-12-24, until: 2027-01-04, timezone: Beijing}] | Beijing | Asia/Shanghai
freezes: [{from: 2026-12-24, until: 2027-01-04, rules: [dev]}] | dev | prod
notifications: x | notifications | notify
timezone: Asia/Shanghai | timezone | accepted are
"""


def cases(table: str) -> list[tuple[str, str, str]]:
    return [(line, found, write) for line, found, write in (row.split(" | ") for row in table.splitlines())]


def findings(tmp_path: Path, text: str) -> list[tuple[str, str, str, str]]:
    """Of each error: its line, its rule, what the carets are under, and the text."""
    (tmp_path / "policy.yaml").write_text(text, encoding="utf-8")
    ran = run("check", tmp_path / "policy.yaml", columns=160)
    assert ran.exit_code == 1, ran.stdout
    found = []
    for block in ran.stdout.split("\n\n")[:-1]:
        head, excerpt, carets, *below = block.splitlines()
        match = re.search(r":(\d+):\d+: error(?: in rule (\S+?))?(?:, |$)", head)
        assert match, head
        begin = carets.index("^")
        found.append(
            (match[1], match[2] or "", excerpt[begin : carets.rindex("^") + 1], " ".join(line.strip() for line in below))
        )
    return found


def one_says(found: list[tuple[str, str, str, str]], line: str, rule: str, under: str, write: str) -> bool:
    return any((at, of) == (line, rule) and shown.startswith(under) and write in text for at, of, shown, text in found)


@pytest.mark.parametrize(("wrong", "under", "write"), cases(OF_A_RULE))
def test_wrong_field_of_a_rule(tmp_path: Path, wrong: str, under: str, write: str) -> None:
    found = findings(tmp_path, f"{HEAD}rules:\n  - name: prod\n    {wrong}\n")
    assert one_says(found, "5", "prod", under, write), found


@pytest.mark.parametrize(("wrong", "under", "write"), cases(OF_THE_POLICY))
def test_wrong_field_of_the_policy(tmp_path: Path, wrong: str, under: str, write: str) -> None:
    found = findings(tmp_path, f"{HEAD}{wrong}\nrules:\n  - name: prod\n")
    assert one_says(found, "3", "", under, write), found


def test_there_are_eighty() -> None:
    assert len(cases(OF_A_RULE)) + len(cases(OF_THE_POLICY)) > 100
