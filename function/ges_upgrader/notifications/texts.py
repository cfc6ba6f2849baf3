"""The catalogue: how each notice and each outcome is worded. Pure.

A text says what happened, what was not changed, and what to do, in this order. Lists of names come last, as a long text is cut
at its end. `{rule}` and `{version}` are those of the notice. The texts about messages that were not understood stand beside
their grammar, in the room `events`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from ges_upgrader.domain.model import Verdict
from ges_upgrader.domain.version import Version
from ges_upgrader.history.records import Noticed
from ges_upgrader.notifications.naming import rule_of
from ges_upgrader.planning.health import RUNS


class Wording(msgspec.Struct, frozen=True):
    """The subject and the text of a message, as templates."""

    subject: str
    text: str


NOTICES: Mapping[str, Wording] = {
    "planned": Wording(
        "GES planned: {count} under {rule} to {version}",
        "The upgrade of {count} to {version} is planned under the rule {rule}. Nothing was changed yet.\n"
        "To prevent it, invoke the function with\n  {pause}\nor for every rule with\n  {withdraw}\nPlanned:\n{starting}",
    ),
    "started": Wording(
        "GES started: {graph} {from_version} to {version}",
        "The upgrade of {graph} from {from_version} to {version} was started{force}. Another message reports its end.",
    ),
    "awaiting-approval": Wording(
        "GES waits for approval: {count} under {rule} to {version}",
        "Under the rule {rule}, the upgrade of {count} to {version} waits for your approval{expired}. Nothing was changed. "
        "To approve, invoke the function with\n  {approve_rule}\nor for one graph\n  {approve_graph}\nWaiting: {names}",
    ),
    "available": Wording(
        "GES {version} is available for {count} under {rule}",
        "{version} is available for {count}. The mode of the rule {rule} is notify: nothing is started.\n"
        "Upgrade in the GES console, or change the mode.\nGraphs: {names}",
    ),
    "too-many": Wording(
        "GES upgrades blocked: {rule} may govern too many graphs",
        "The rule {rule} governs more graphs than its max_graphs of {most}, or their number is unknown, as not all graphs were "
        "listed. Nothing is started under it.\n"
        "Look at the run's errors and the rule's match, or raise max_graphs.\nBlocked: {names}",
    ),
    "halted": Wording(
        "GES upgrades halted: {version} under {rule}",
        "The upgrade to {version} failed {times} under the rule {rule}, as often as its max_failures now allows. No "
        "further upgrade to it is started under this rule and those after it.\n"
        "The rule continues with a newer version, or after\n  {retry}\nBlocked: {names}",
    ),
    "refused": Wording(
        "GES upgrade blocked: {graph} to {version}",
        "{graph}: GES refuses its upgrade to {version}: {why}.\n"
        "Nothing was changed. The function tries again later, or at once after\n  {retry}",
    ),
    "backup-failed": Wording(
        "GES upgrade blocked: {graph} to {version}",
        "{graph}: the backup before its upgrade failed: {why}.\n"
        "Nothing was changed. The function tries again later, or at once after\n  {retry}",
    ),
    "unhealthy-before": Wording(
        "GES upgrade blocked: {graph} is not healthy before it",
        "{graph} was not upgraded to {version}, as it does not pass its health check before that: {why}.\n"
        "Nothing was changed. Look at the graph, or at the statements of the policy. The function tries again later, or at "
        "once after\n  {retry}",
    ),
    "overrun": Wording(
        "GES overrun: {graph} is still being upgraded",
        "The upgrade of {graph} to {version} runs past the end of its window, {closes}. GES cannot cancel it.\n"
        "You need to do nothing yet. Another message reports its end.",
    ),
    "backup-slow": Wording(
        "GES upgrade delayed: the backup of {graph} takes too long",
        "The backup of {graph} before its upgrade to {version} has been in progress since {began}, longer than the job_timeout "
        "of the rule {rule}. The upgrade waits for it; nothing was changed.\nLook at the backup in the GES console.",
    ),
    "stalled": Wording(
        "GES upgrades stalled: {count} under {rule} to {version}",
        "The upgrade of {count} under the rule {rule} to {version} waits for others, and nothing has moved since {since}. "
        "Nothing was changed.\n"
        "Look at the graphs that others wait for: start, upgrade or delete them, or exclude them from the policy. To see why "
        "each waits, invoke the function with\n  {plan}\n{blockers}\nWaiting: {names}",
    ),
    "overdue": Wording(
        "GES upgrades overdue: {count} under {rule} behind {version}",
        "{count} under the rule {rule} could have run GES {version} since {since}, which is longer than the rule's overdue of "
        "{overdue}. Nothing was changed.\n"
        "To see what each graph waits for, invoke the function with\n  {plan}\n"
        "Waiting: {reasons}\nThis message is repeated every 30 days.\nBehind: {names}",
    ),
    "rollback-ending": Wording(
        "GES rollback of {count} to before {version} ends on {until}",
        "{count} under the rule {rule} can be rolled back from {version} until {until}, and not later. Nothing was changed.\n"
        "If all is well, you need to do nothing. To roll back: GES console, Graph Management, the graph, More, Roll Back.\n"
        "All data written since the upgrade is lost then.\nGraphs: {names}",
    ),
    "blind": Wording(
        "GES upgrader: the graphs of project {project} in {region} cannot be listed",
        "The graphs of project {project} in {region} cannot be listed since {since}: {error}.\n"
        "Nothing is started there, nor under rules that count graphs or wait for others. Nothing was changed: GES continues "
        "what is in progress.\n"
        "Check that the function's agency may list graphs in this project, that `projects` of the policy is right, and that "
        "GES is available in the region. Another message reports when the graphs can be listed again.",
    ),
    "recovered": Wording(
        "GES upgrader: the graphs of project {project} in {region} are listed again",
        "The graphs of project {project} in {region}, which could not be listed since {since}, are listed again. Upgrades "
        "start again as the policy says. You need to do nothing.",
    ),
    "blind:journal": Wording(
        "GES upgrader: the journal cannot be reached",
        "The journal at {state} cannot be reached since {since}: {error}.\n"
        "Nothing is started until it can be read. Running upgrades are followed and reported.\n"
        "Check that the bucket or folder exists, that the function's agency may read and write it, and that the service is "
        "available. This message is repeated once a day until the journal can be reached.",
    ),
    "recovered:journal": Wording(
        "GES upgrader: the journal can be reached again",
        "The journal at {state}, which could not be reached since {since}, can be read and written again. Upgrades start "
        "again.\nIf a message says that an announcement was not recorded, look with the command status whether it is known.",
    ),
    "recovered:damage": Wording(
        "GES: damage of the journal was lifted",
        "An operator lifted the damage {damage} of the journal. What it blocked can start again. You need to do nothing.",
    ),
    "damaged": Wording("GES: a record of the journal cannot be understood", "A record of the journal is damaged: {what}."),
    "journal-started": Wording(
        "GES upgrader: a new journal begins",
        "No journal was found at {state}, so a new one was begun. If this is the first run with this state, you need to do "
        "nothing. Otherwise releases, approvals, pauses and failures that were recorded before are forgotten.\n"
        "To stop upgrades until you have looked, invoke the function with\n  {pause}\n"
        "Then restore the journal's files, or repeat what must hold.",
    ),
    "unclear:unwritten": Wording(
        "GES: the journal could not record that {version} was {what}",
        "A message says that GES {version} was {what}, but the journal cannot be written. Nothing was started.\n"
        "The platform delivers the message again for some time. If the command status does not show the version once the "
        "journal can be written, send the message again, or name the version in the policy.",
    ),
    "set-aside:rolled-back": Wording(
        "GES {version} is set aside for {count}: rolled back",
        "This function upgraded {count} to {version}, and GES now shows an earlier version{shown}: rolled back outside this "
        "function. GES rolls the data back with the version, so nothing is upgraded to {version} or an earlier version there "
        "until a newer version is allowed, or you run\n{retries}\nGraphs: {names}",
    ),
    "set-aside:unknown": Wording(
        "GES {version} is set aside for {count}: unknown to GES",
        "GES refuses the upgrade to {version} in a way that can mean that it does not know this version. It is set aside for "
        "{count}; nothing was changed. The next lower version that is allowed is taken. If {version} is a mistake, run\n"
        "  {withdraw}\nIt is tried again in 7 days, or at once after\n  {retry}\nGraphs: {names}",
    ),
    "policy-refused": Wording(
        "GES upgrader: the policy is refused",
        "The policy is refused. Until it is corrected, no upgrade is started, and running upgrades are not followed. GES "
        "continues what is in progress.\n{problems}\n"
        "Correct POLICY or the policy file. Then send again what was announced meanwhile, as it was not learned.",
    ),
    "policy-refused:unreachable": Wording(
        "GES upgrader: the policy cannot be read",
        "{why}.\nUntil the policy can be read, no upgrade is started, and running upgrades are not followed. GES continues "
        "what is in progress.\n"
        "Check that the object exists, that the function's agency may read it, and that OBS is available. Then send again what "
        "was announced meanwhile, as it was not learned. This message is repeated once a day.",
    ),
    "not-handed-over": Wording(
        "GES upgrader: a run could not hand its work over",
        "A run had no time left for its work, and could not invoke the function again: {why}.\n"
        "Nothing was changed by that: GES continues what is in progress. {advice}\n"
        "Meanwhile the next timer continues with {names}.",
    ),
}

OUTCOMES: Mapping[Verdict, str] = {
    Verdict.SUCCEEDED: "was upgraded from {frm} to {to}",
    Verdict.FAILED: "could not be upgraded from {frm} to {to}; check it now",
    Verdict.ROLLED_BACK: "could not be upgraded to {to}; it runs {frm} again",
    Verdict.VERSION_UNCHANGED: "still runs {frm}, although the job of its upgrade to {to} succeeded",
    Verdict.TIMED_OUT: "takes longer than the policy's job_timeout to get from {frm} to {to}; it is still followed",
    Verdict.UNHEALTHY: "was upgraded from {frm} to {to} and failed its health check; check it now",
    Verdict.VANISHED: "disappeared during its upgrade from {frm} to {to}; check it now",
}
LATENCIES = f"Health check, median of {RUNS} runs:"
LATENCY = "  {name:<20} {before:>9} before, {after:>9} after"
PENDING = "You need to do nothing yet. Another message reports the end."
ROLL_BACK = (
    "To roll back within 30 days, so until {until:%Y-%m-%d}: GES console, Graph Management, the graph, More, Roll Back.\n"
    "There is no API for it. The graph is unavailable meanwhile, and all data written since the upgrade is lost."
)
HALTS = (
    "The rule {rule} is halted at {version}: no further upgrade to it is started under this rule and\n"
    "those after it, until a newer version is available or you invoke the function with\n  {retry}"
)
CONTINUES = (
    "The rule continues with its other graphs, as it allows more failures. {graph} is not upgraded to this\n"
    "version again until a newer one is available or you invoke the function with\n  {retry}"
)


def noticed(
    key: str,
    notice_id: str,
    at: datetime,
    *,
    rule: str | None = None,
    version: Version | None = None,
    graphs: tuple[str, ...] = (),
    starts: tuple[datetime, ...] = (),
    **fields: object,
) -> Noticed:
    """A notice worded as the catalogue says under `key`, whose part before a colon is the kind."""
    wording = NOTICES[key]
    given = {"rule": rule_of(rule or ""), "version": version, **fields}
    return Noticed(
        at=at,
        notice_id=notice_id,
        notice_kind=key.partition(":")[0],
        subject=wording.subject.format_map(given),
        text=wording.text.format_map(given),
        rule=rule,
        version=version,
        graphs=graphs,
        starts=starts,
    )
