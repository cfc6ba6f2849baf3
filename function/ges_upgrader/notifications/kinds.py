"""The kinds of notices that versions before 2.0 recorded by another name. Pure."""

from __future__ import annotations

from ges_upgrader.history.records import Noticed

# They recorded most notices as `blocked`. What such a notice is about shows in how its id begins.
_KIND_BY_ID = {
    "approval": "awaiting-approval",
    "available": "available",
    "refused": "refused",
    "halted": "halted",
    "too-many": "too-many",
    "backup-failed": "backup-failed",
    "slow-backup": "backup-slow",
    "not-handed-on": "not-handed-over",
    "damaged": "damaged",
}


def kind_of(notice: Noticed) -> str:
    """The notice's kind, one of interface.md's, whichever version recorded it."""
    if notice.notice_kind != "blocked":
        return notice.notice_kind
    return _KIND_BY_ID.get(notice.notice_id.partition(":")[0], "refused")
