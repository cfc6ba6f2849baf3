"""Every notice has one of interface.md's kinds, also if an earlier version recorded it."""

from __future__ import annotations

import json

import pytest

from ges_upgrader.history.outbox import Event
from ges_upgrader.history.records import Noticed
from ges_upgrader.notifications.messages import compose
from tests.builders import NOW


@pytest.mark.parametrize(
    ("notice_id", "kind"),
    [
        ("approval:prod:2.4.15:abc", "awaiting-approval"),
        ("slow-backup:b1", "backup-slow"),
        ("not-handed-on:abc", "not-handed-over"),
        ("damaged:d1", "damaged"),
        ("too-many:prod:20:21", "too-many"),
    ],
)
def test_notices_of_earlier_versions_get_their_kind(notice_id: str, kind: str) -> None:
    notice = Noticed(at=NOW, notice_id=notice_id, text="", notice_kind="blocked")
    message = compose(Event(id=notice_id, at=NOW, notice=notice), "run-1", "p", True)
    assert json.loads(message.texts["default"])["kind"] == kind
