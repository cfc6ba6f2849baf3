"""What a run could not write while the journal was unavailable, and what of it is still news afterwards. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ges_upgrader.history.history import History
from ges_upgrader.history.records import UNWRITTEN, AnyRecord, Ended, Noticed, Released, Started, Told, Withdrawn


def news(remembered: Iterable[AnyRecord], history: History) -> list[AnyRecord]:
    """The records that are missing, and hold beside all that other runs have written meanwhile."""
    return [record for record in remembered if _is_news(record, history)]


def _is_news(record: AnyRecord, history: History) -> bool:
    """Whether it is missing, and holds beside all that others have written meanwhile."""
    if isinstance(record, Told):
        return not history.outbox.delivered(record.event_id)
    if isinstance(record, Ended):
        attempt = history.attempts.by_id.get(record.attempt_id)
        return attempt is not None and attempt.open and not (attempt.timed_out and not record.verdict.ends)
    if isinstance(record, Started):
        attempt = history.attempts.by_id.get(record.attempt_id)
        return attempt is not None and attempt.open and attempt.job_id is None
    if isinstance(record, Noticed):
        return not history.outbox.knows(record.notice_id) and not record.notice_id.startswith(UNWRITTEN)
    if isinstance(record, Released):
        return history.releases.learns_from(record.release, record.source)
    return isinstance(record, Withdrawn) and record.version not in history.releases.withdrawn
