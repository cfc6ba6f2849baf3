"""The notice that the policy is refused, with what can still be read of it (interface.md, Result)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from ges_upgrader.domain.plain_text import MOST_REASON, plain
from ges_upgrader.events.commands import Command, Word
from ges_upgrader.history.records import Noticed
from ges_upgrader.journal.storage import JournalError
from ges_upgrader.journal.writer import JournalWriter
from ges_upgrader.notifications.notices import journal_started
from ges_upgrader.notifications.texts import noticed
from ges_upgrader.policy.fields import State
from ges_upgrader.policy.lenient import legible
from ges_upgrader.policy.schema import Notify, Policy
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.outbox import Deliverer
from ges_upgrader.running.results.report import RunReport

MOST_PROBLEMS = 6  # in a message


class Sent(msgspec.Struct, frozen=True):
    """How many messages were delivered, and what failed."""

    notified: int
    errors: list[str]


def legible_policy(text: str | None) -> Policy | None:
    """A policy that says whom to notify and where the journal is, and governs nothing; None: whom to notify is unreadable."""
    if text is None:
        return None
    found = legible(text)
    return Policy(notify=Notify(found.notify), state=found.state or State("none")) if found.notify else None


def send_refusal(notice: Noticed, context: RunContext, again: bool) -> Sent:
    """Sends a notice of this module unless the journal knows it. `again`: also if there is no journal that could know it."""
    now = context.clock.now()
    report = RunReport(Command(Word.PLAN), now, context.log)

    def journal_failed(error: JournalError) -> None:
        report.complain(f"the journal at {context.policy.state.text}: {error}")

    writer = JournalWriter(context.journal, journal_failed)
    writer.recall()
    if (writer.lasting and writer.history.readable) or again:
        if context.journal.new:
            writer.write(lambda history: journal_started(context.policy.state.text, history, now))
        writer.write(lambda history: [] if history.outbox.knows(notice.notice_id) else [notice])
        Deliverer(context, writer, report).deliver(only={notice.notice_id})
    return Sent(report.notified, report.errors)


def refused_notice(problems: Sequence[str], now: datetime) -> Noticed:
    """One a day in UTC, however often the text of the policy changes."""
    shown = [f"  {plain(problem, MOST_REASON)}" for problem in problems[:MOST_PROBLEMS]]
    more = [f"  and {len(problems) - len(shown)} more: see the errors of a run"] if len(problems) > len(shown) else []
    return noticed("policy-refused", f"policy-refused:{now:%Y-%m-%d}", now, problems="\n".join([*shown, *more]))


def unreachable_notice(why: str, now: datetime) -> Noticed:
    """One a day in UTC."""
    notice_id = f"policy-refused:unreachable:{now:%Y-%m-%d}"
    return noticed("policy-refused:unreachable", notice_id, now, why=plain(why, MOST_REASON))
