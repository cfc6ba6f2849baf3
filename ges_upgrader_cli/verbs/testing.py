"""`ges-upgrader test`: the policy's own tests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from rich.console import Console

from ges_upgrader.policy.parsing import PolicyError
from ges_upgrader.policy.yaml_text import UnreadableText
from ges_upgrader_cli.checking.policy_tests import Outcome, TestsError, read_tests, run_test
from ges_upgrader_cli.shown.console import Exit, console, counted, fail, paragraph, show_json
from ges_upgrader_cli.shown.options import POLICY, AsJson, read_text


def run_tests(
    policies: Annotated[Optional[list[Path]], typer.Argument(metavar="[POLICY]...", help="Default: policy.yaml.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the tests that a policy holds under `tests`.

    Each gives a time, graphs and releases, and what is expected of each graph: action, reason, target, until.
    """
    out, failed, shown = console(), 0, []
    for path in policies or [POLICY]:
        for name, outcomes in _run(path):
            bad = [one for one in outcomes if one.differs]
            failed += bool(bad)
            shown.append({"policy": str(path), "test": name, "passed": not bad, "differs": [list(one.differs) for one in bad]})
            if not as_json:
                paragraph(out, f"{'failed' if bad else 'passed'}  {name}", style="red" if bad else "green")
                for one in bad:
                    _show(out, one)
    if as_json:
        show_json(shown)
    else:
        paragraph(out, f"{counted(len(shown), 'test')}: {len(shown) - failed} passed, {failed} failed", style="bold")
    if failed:
        raise typer.Exit(Exit.ATTENTION)


def _run(path: Path) -> list[tuple[str, list[Outcome]]]:
    text = read_text(path)
    try:
        return [(test.name, run_test(text, test)) for test in read_tests(text)]
    except TestsError as error:
        fail(f"{path}: {error}")
    except (PolicyError, UnreadableText):
        fail(f"{path} has errors; see ges-upgrader check {path}", Exit.ATTENTION)


def _show(out: Console, outcome: Outcome) -> None:
    width = max(len(expected) for _, expected, _ in outcome.differs) + 2
    out.print(f"  {outcome.graph}", soft_wrap=True)
    out.print(f"    {'':<8}{'expected':<{max(width, 10)}}found", soft_wrap=True)
    for name, expected, found in outcome.differs:
        out.print(f"    {name:<8}{expected:<{max(width, 10)}}{found}", soft_wrap=True)
    for check in outcome.checks:
        _show_check(out, check)


def _show_check(out: Console, check: dict[str, Any]) -> None:
    mark = ">" if check["binding"] else " "
    paragraph(out, check["value"], indent=24, first=f"  {mark} {'blocks' if check['blocks'] else 'passes'}  {check['check']}")
