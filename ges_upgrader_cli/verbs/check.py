"""`ges-upgrader check`: what is wrong with a policy, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from rich.console import Console

from ges_upgrader.domain.timestamps import iso
from ges_upgrader.planning.survey import Step, Survey
from ges_upgrader.policy.schema import fingerprint
from ges_upgrader.schedule.calendars import Opening
from ges_upgrader_cli.checking.effective import as_yaml, effective
from ges_upgrader_cli.checking.findings import Checked, Finding, check_policy
from ges_upgrader_cli.checking.window_words import in_words
from ges_upgrader_cli.shown.console import Exit, console, counted, paragraph, show_json, visible
from ges_upgrader_cli.shown.excerpts import excerpt
from ges_upgrader_cli.shown.options import POLICY, AsJson, At, FleetPath, load_fleet, read_text, time_of
from ges_upgrader_cli.shown.times import both, span, zone_of

_OPENINGS = 3


def check(
    policies: Annotated[Optional[list[Path]], typer.Argument(metavar="[POLICY]...", help="Default: policy.yaml.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if there are warnings, too.")] = False,
    show_effective: Annotated[bool, typer.Option("--effective", help="Show the policy with every default.")] = False,
    fleet: FleetPath = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Check a policy: every error and warning with its place, and what the windows mean.

    With --fleet also which graphs each rule governs.

    Exit codes: 0 if the policy can be used, 1 if it has errors (with --strict: or warnings), 2 if it cannot be read.
    """
    now, graphs = time_of(at), load_fleet(fleet) if fleet else None
    checked = {path: check_policy(read_text(path), now, graphs) for path in policies or [POLICY]}
    if as_json:
        show_json([_as_data(path, one, show_effective) for path, one in checked.items()])
    else:
        for path, one in checked.items():
            _show(path, one, show_effective)
    if any(one.count("error") or (strict and one.count("warning")) for one in checked.values()):
        raise typer.Exit(Exit.ATTENTION)


def _show(path: Path, checked: Checked, show_effective: bool) -> None:
    out = console()
    for finding in checked.findings:
        _show_finding(out, path, checked, finding)
    errors, warnings = checked.count("error"), checked.count("warning")
    if checked.survey is None:
        paragraph(out, f"{path}: {counted(errors, 'error')}. A policy with an error is refused as a whole.", style="bold red")
        return
    policy = checked.survey.policy
    state = counted(warnings, "warning") if warnings else "fine"
    summary = f"{path}: {state}, {counted(len(policy.rules), 'rule')}, fingerprint {fingerprint(policy)}"
    paragraph(out, summary, style="bold yellow" if warnings else "bold green")
    if show_effective:
        typer.echo("\n" + as_yaml(effective(policy)), nl=False)
        return
    for step in checked.survey.steps.values():
        _show_rule(out, step, checked.survey.now)
        if checked.survey.governed:
            members = governed(checked.survey, step)
            paragraph(out, f"{counted(len(members), 'graph')}: {', '.join(members) or 'none'}", indent=11, first="  governs")


def _show_finding(out: Console, path: Path, checked: Checked, finding: Finding) -> None:
    place, colour = finding.place, "red" if finding.severity == "error" else "yellow"
    where = f"{path}:{place.line}:{place.column}" if place else str(path)
    rule = f" in rule {finding.rule}" if finding.rule else ""
    field = f", {finding.path}" if finding.path else ""
    out.print(visible(f"{where}: {finding.severity}{rule}{field}"), style=f"bold {colour}", soft_wrap=True)
    if place is not None:
        for line in excerpt(checked.source.lines, place, out.width):
            out.print(line, soft_wrap=True)
    paragraph(out, finding.text, indent=2)
    out.print()


def _show_rule(out: Console, step: Step, now: datetime) -> None:
    rule = step.rule
    out.print(f"\nRule {rule.name}", style="bold", soft_wrap=True)
    windows = [in_words(window) for window in rule.windows] or ["always"]
    for number, words in enumerate(windows):
        paragraph(out, words, indent=11, first="  windows" if number == 0 else "")
    for number, words in enumerate(_opening_words(step, now)):
        paragraph(out, words, indent=11, first="  starts" if number == 0 else "")


def governed(survey: Survey, step: Step) -> list[str]:
    """The names of the graphs that the rule governs."""
    return sorted(one.graph.name for one in survey.governed if one.rule and one.rule.name == step.rule.name)


def _opening_words(step: Step, now: datetime) -> Iterator[str]:
    zone = zone_of(step.rule)
    for opening in islice(openings(step, now), _OPENINGS):
        if opening.closes is None:
            yield f"{both(max(now, opening.start), zone)}, with no end in sight"
            return
        yield span(opening.start, opening.before, zone)


def openings(step: Step, now: datetime) -> Iterator[Opening]:
    """The next times in which the rule's windows and freezes let something start."""
    after = now
    while (opening := step.calendar.first(after)) is not None:
        yield opening
        if opening.closes is None:
            return
        after = opening.before


def _as_data(path: Path, checked: Checked, show_effective: bool) -> dict[str, Any]:
    survey = checked.survey
    shown: dict[str, Any] = {
        "policy": str(path),
        "fingerprint": fingerprint(survey.policy) if survey else None,
        "findings": [_finding_data(one) for one in checked.findings],
        "rules": [_rule_data(step, survey) for step in survey.steps.values()] if survey else [],
    }
    return {**shown, "effective": effective(survey.policy)} if survey and show_effective else shown


def _finding_data(finding: Finding) -> dict[str, Any]:
    place = finding.place
    return {
        "severity": finding.severity,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "path": finding.path,
        "rule": finding.rule,
        "text": finding.text,
    }


def _rule_data(step: Step, survey: Survey) -> dict[str, Any]:
    return {
        "rule": step.rule.name,
        "governs": governed(survey, step),
        "windows": [in_words(window) for window in step.rule.windows] or ["always"],
        "openings": [
            {"start": iso(one.start), "before": iso(one.before), "closes": iso(one.closes) if one.closes else None}
            for one in islice(openings(step, survey.now), _OPENINGS)
        ],
    }
