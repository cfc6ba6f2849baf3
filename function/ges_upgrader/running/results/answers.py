"""What a result says besides its decisions: why graphs wait, warnings, a forecast; and what blocks graphs as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from ges_upgrader.domain.timestamps import iso
from ges_upgrader.events.commands import Command, Word, command
from ges_upgrader.history.history import History
from ges_upgrader.notifications.notices import told_of
from ges_upgrader.planning.planner import plan_of
from ges_upgrader.planning.survey import Survey
from ges_upgrader.running.results.pages import fits
from ges_upgrader.running.results.report import RunReport


def add_answers(report: RunReport, asked: Command, survey: Survey, assumed: bool) -> None:
    """Adds what the command asks for. Diagnosis is imported only now, as a cold start needs none of it.

    `assumed`: what the command says was not recorded, so that the policy's warnings are of interest.
    """
    if asked.word in (Word.PLAN, Word.STATUS) or asked.checks:
        from ges_upgrader.diagnosis.explain import explainer

        report.explain(explainer(survey, plan_of(survey)))
    if assumed:
        from ges_upgrader.diagnosis.lint import warnings

        report.add("warnings", warnings(survey))
    if asked.word is Word.STATUS:
        from ges_upgrader.diagnosis.explain import state_of

        report.add("state", state_of(survey.history))
    if asked.word is Word.FORECAST:
        report.add("forecast", _forecast(asked, survey))


def _forecast(asked: Command, survey: Survey) -> list[dict[str, str]]:
    from ges_upgrader.diagnosis.forecast import forecast, shown

    found = forecast(survey.policy, survey.roster.fleet, survey.history, survey.now, asked.days)
    return [shown(one) for one in found if fits(asked, one.rule, one.graph_id, one.graph)]


def obstacles(survey: Survey, history: History) -> Iterator[str]:
    """What blocks graphs and is no decision about a single one, with the command that ends it."""
    yield from map(told_of, history.controls.damages.values())
    for failed in (one for one in survey.stranded if one.verdict):
        yield (
            f"{failed.graph} failed at {failed.to_version} under the rule {failed.rule}, which was removed from the "
            "policy, and the graph is not visible; the failure counts under every rule until an operator runs "
            + command("retry", rule=failed.rule)
        )
    for pause in history.controls.orphaned(survey.steps):
        yield (
            f"the rule {pause.rule}, paused since {iso(pause.at)}, was removed from the policy; as it is unknown which "
            f"graphs were meant, nothing is started until an operator runs {command('resume', rule=pause.rule or '')}"
        )
