"""An event to what each channel gets of it, inside SMN's limits (interface.md, Result message; smn-obs-core.md A)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

import msgspec

from .history import Event
from .model import Verdict

MAX_SUBJECT_BYTES, MAX_SMS, MAX_DETAIL = 512, 490, 4000

_HEADLINES = {
    Verdict.SUCCEEDED: "runs {to}, upgraded from {frm}",
    Verdict.FAILED: "could not be upgraded from {frm} to {to}; look at it now",
    Verdict.ROLLED_BACK: "could not be upgraded to {to}; it runs {frm} again",
    Verdict.VERSION_UNCHANGED: "still runs {frm}, although the job of its upgrade to {to} succeeded",
    Verdict.TIMED_OUT: "is taking longer than the policy's job_timeout to get from {frm} to {to}; it is followed on",
    Verdict.VANISHED: "was lost sight of while it was upgraded from {frm} to {to}; look at it now",
}


class Message(msgspec.Struct, frozen=True):
    subject: str
    texts: Mapping[str, str]


def compose(event: Event, run_id: str, policy: str, lasting: bool) -> Message:
    """The message of an event. `lasting` false says that this result may be repeated or have been lost (state: none)."""
    if event.attempt is None or event.verdict is None:
        return _notice(event, run_id)
    attempt, verdict = event.attempt, event.verdict
    headline = _HEADLINES[verdict].format(frm=attempt.from_version, to=attempt.to_version)
    detail = (event.detail or "")[:MAX_DETAIL] or None
    result = {
        "schema": "ges.upgrade.result/1",
        "event_id": event.id,
        "run_id": run_id,
        "region": attempt.project.region,
        "project_id": attempt.project.project_id,
        "graph_id": attempt.graph_id,
        "graph": attempt.graph,
        "rule": attempt.rule,
        "from_version": attempt.from_version.text,
        "to_version": attempt.to_version.text,
        "job_id": attempt.job_id,
        "outcome": verdict.value,
        "detail": detail,
        "began_at": iso(attempt.began_at),
        "ended_at": iso(event.at),
        "policy": policy,
        "state": "kept" if lasting else "none: results may be repeated or lost between runs",
    }
    subject = _one_line(f"GES {verdict.value}: {attempt.graph} {attempt.from_version} to {attempt.to_version}")
    email = "\n".join(
        line
        for line in (
            f"The graph {attempt.graph} {headline}.",
            "",
            *([f"Detail:   {detail}"] if detail else []),
            f"Graph:    {attempt.graph} ({attempt.graph_id})",
            f"Where:    {attempt.project.region}, project {attempt.project.project_id}",
            f"Rule:     {attempt.rule}",
            f"Job:      {attempt.job_id or 'unknown'}",
            f"Began:    {iso(attempt.began_at)}",
            f"Ended:    {iso(event.at)}",
            *_advice(verdict),
            "",
            f"Event {event.id}, run {run_id}, policy {policy}.",
            *([] if lasting else ["The policy keeps no state: a result may be repeated, or be lost between runs."]),
        )
    )
    return Message(subject, {"default": _json(result), "email": email, "sms": _sms(f"GES: {attempt.graph} {headline}.")})


def _advice(verdict: Verdict) -> list[str]:
    if verdict is Verdict.SUCCEEDED:
        return [
            "",
            "GES can roll back from its console only, from version 2.4.4 on and within 30 days; the graph is unavailable",
            "meanwhile and everything written since the upgrade is lost.",
        ]
    if verdict is Verdict.TIMED_OUT:
        return ["", "Nothing has to be done yet; the end will be told."]
    return [
        "",
        "Nothing more is started to this version once the rule's max_failures is reached. Look at the graph in the console.",
    ]


def _notice(event: Event, run_id: str) -> Message:
    text = (event.detail or "")[:MAX_DETAIL]
    notice = {"schema": "ges.upgrade.notice/1", "event_id": event.id, "run_id": run_id, "detail": text}
    return Message("GES upgrader: a message was not understood", {"default": _json(notice), "email": text, "sms": _sms(text)})


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(content: Mapping[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False)


def _one_line(text: str) -> str:
    """Within 512 bytes of UTF-8, cut between characters, without control characters."""
    line = " ".join("".join(" " if ord(char) < 32 or ord(char) == 127 else char for char in text).split())
    return line.encode()[:MAX_SUBJECT_BYTES].decode(errors="ignore")


def _sms(text: str) -> str:
    return _one_line(text.translate({ord(bracket): None for bracket in "[]【】"}))[:MAX_SMS]
