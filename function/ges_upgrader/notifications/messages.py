"""What each channel gets of an event, within SMN's limits (interface.md, Result message; smn-obs-core.md A).

Whatever comes from outside is made plain, field by field, so that it cannot forge the lines that stand around it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

import msgspec

from ges_upgrader.domain.model import Attempt, Verdict
from ges_upgrader.domain.plain_text import MOST_DETAIL, MOST_NAME, plain, plain_lines
from ges_upgrader.domain.timestamps import iso
from ges_upgrader.events.commands import command
from ges_upgrader.history.outbox import Event
from ges_upgrader.history.records import Noticed
from ges_upgrader.notifications.channels import mail, sms
from ges_upgrader.notifications.kinds import kind_of
from ges_upgrader.notifications.naming import argument_of
from ges_upgrader.notifications.rollback import SINCE, rollback_until
from ges_upgrader.notifications.texts import CONTINUES, HALTS, LATENCIES, LATENCY, OUTCOMES, PENDING, ROLL_BACK
from ges_upgrader.planning.health import compared

MAX_SUBJECT_BYTES = 512
MAX_GRAPHS = 1000  # named in a message, which must not exceed 256 KB


class Message(msgspec.Struct, frozen=True):
    subject: str
    texts: Mapping[str, str]


def compose(event: Event, run_id: str, policy: str, lasting: bool, available: bool = True) -> Message:
    """The message of an event. Not `lasting`, or not `available`: without the journal a result may be repeated or lost."""
    if event.notice is not None:
        return _notice(event, event.notice, run_id, policy, lasting, available)
    assert event.attempt is not None and event.verdict is not None
    attempt, verdict = _plain(event.attempt), event.verdict
    target = attempt.target.text if attempt.target else "a later version"
    headline = OUTCOMES[verdict].format(frm=attempt.from_version, to=target)
    detail = plain(event.detail or "", MOST_DETAIL) or None
    ended_at = iso(event.job_ended_at or event.at)
    result = {
        "schema": "ges.upgrade.result/1",
        "event_id": _shown_id(event),
        "run_id": run_id,
        "region": attempt.project.region,
        "project_id": attempt.project.project_id,
        "graph_id": attempt.graph_id,
        "graph": attempt.graph,
        "rule": attempt.rule,
        "from_version": attempt.from_version.text,
        "to_version": attempt.target.text if attempt.target else None,
        "job_id": attempt.job_id,
        "outcome": verdict.value,
        "detail": detail,
        "halted": event.halts,
        "began_at": iso(attempt.began_at),
        "ended_at": ended_at,
        "policy": policy,
        "state": _state(lasting, available),
        **_measured(event, event.attempt),
    }
    subject = _one_line(f"GES {verdict.value}: {attempt.graph} {attempt.from_version} to {target}")
    email = mail(
        (
            f"The graph {attempt.graph} {headline}.",
            "",
            *([f"Detail:   {detail}"] if detail else []),
            f"Graph:    {attempt.graph} ({attempt.graph_id})",
            f"Where:    {attempt.project.region}, project {attempt.project.project_id}",
            f"Rule:     {attempt.rule}",
            f"Job:      {attempt.job_id or 'unknown'}",
            f"Began:    {iso(attempt.began_at)}",
            *([f"Ended:    {ended_at}"] if verdict.ends else []),
            *_latencies(event, event.attempt),
        ),
        (*_advice(event, attempt, event.attempt, verdict).splitlines(), *_end(event, run_id, policy, lasting, available)),
    )
    return Message(subject, {"default": _json(result), "email": email, "sms": sms(f"GES: {attempt.graph} {headline}.")})


def _plain(attempt: Attempt) -> Attempt:
    """With names that can be shown."""
    return msgspec.structs.replace(
        attempt,
        graph=plain(attempt.graph, MOST_NAME),
        graph_id=plain(attempt.graph_id, MOST_NAME),
        rule=plain(attempt.rule, MOST_NAME),
        job_id=None if attempt.job_id is None else plain(attempt.job_id, MOST_NAME),
    )


def _latencies(event: Event, attempt: Attempt) -> list[str]:
    """The table of what the health check measured."""
    rows = [(plain(name, MOST_NAME), before, after) for name, before, after in compared(attempt.before, event.after)]
    return (
        ["", LATENCIES, *(LATENCY.format(name=name, before=before, after=after) for name, before, after in rows)]
        if rows
        else []
    )


def _measured(event: Event, attempt: Attempt) -> dict[str, object]:
    """The same for programs: only if the rule has such a check."""
    before = {one.name: one.milliseconds for one in attempt.before}
    rows = [
        {"name": plain(one.name, MOST_NAME), "before_ms": before.get(one.name), "after_ms": one.milliseconds}
        for one in event.after
    ]
    return {"latencies": rows} if rows else {}


def _advice(event: Event, attempt: Attempt, named: Attempt, verdict: Verdict) -> str:
    """What to do, and what happens next. `named` has the names as they are, for commands."""
    if verdict is Verdict.TIMED_OUT:
        return f"\n{PENDING}"
    until = rollback_until(attempt, event.job_ended_at - attempt.began_at if event.job_ended_at else None)
    possible = attempt.to_version >= SINCE and verdict in (Verdict.SUCCEEDED, Verdict.UNHEALTHY)
    roll_back = "\n" + ROLL_BACK.format(until=until) if possible else ""
    if verdict is Verdict.SUCCEEDED:
        return roll_back
    if event.halts:
        consequence = HALTS.format(rule=attempt.rule, version=attempt.to_version, retry=command("retry", rule=named.rule))
    else:
        consequence = CONTINUES.format(graph=attempt.graph, retry=command("retry", graph=argument_of(named)))
    return f"\n{consequence}\n{roll_back}" if roll_back else f"\n{consequence}"


def _notice(event: Event, notice: Noticed, run_id: str, policy: str, lasting: bool, available: bool) -> Message:
    text = plain_lines(notice.text, MOST_DETAIL)
    told = {
        "schema": "ges.upgrade.notice/1",
        "kind": kind_of(notice),
        "event_id": _shown_id(event),
        "run_id": run_id,
        "rule": notice.rule and plain(notice.rule, MOST_NAME),
        "version": notice.version.text if notice.version else None,
        "graph_ids": [plain(graph_id, MOST_NAME) for graph_id in notice.graphs[:MAX_GRAPHS]],
        "graph_count": len(notice.graphs),
        "starts": [iso(start) for start in notice.starts[:MAX_GRAPHS]],
        "detail": text,
        "at": iso(event.at),
        "policy": policy,
        "state": _state(lasting, available),
    }
    subject = _one_line(notice.subject or "GES upgrader: a message was not understood")
    email = mail(text.split("\n"), _end(event, run_id, policy, lasting, available))
    return Message(subject, {"default": _json(told), "email": email, "sms": sms(f"{subject}.", text)})


def _end(event: Event, run_id: str, policy: str, lasting: bool, available: bool) -> list[str]:
    return ["", f"Event {_shown_id(event)}, run {run_id}, policy {policy}.", *_unkept(lasting, available)]


def _shown_id(event: Event) -> str:
    """The event's id, the same in every run. One that holds a name that cannot be shown ends in a hash of it."""
    shown = plain(event.id, MOST_NAME)
    return shown if shown == event.id else f"{shown[:200]}:{sha256(event.id.encode(errors='surrogatepass')).hexdigest()[:12]}"


def _state(lasting: bool, available: bool) -> str:
    if not lasting:
        return "none: results may be repeated or lost between runs"
    return "kept" if available else "unavailable: this message may be repeated"


def _unkept(lasting: bool, available: bool) -> list[str]:
    if not lasting:
        return ["The policy keeps no state: a result may be repeated, or lost between runs."]
    return [] if available else ["The journal is unavailable, so that this message may be repeated."]


def _json(content: Mapping[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False)


def _one_line(text: str) -> str:
    """Within 512 bytes of UTF-8, cut between characters."""
    line = " ".join(plain(text, MAX_SUBJECT_BYTES).split())
    return line.encode()[:MAX_SUBJECT_BYTES].decode(errors="ignore")
