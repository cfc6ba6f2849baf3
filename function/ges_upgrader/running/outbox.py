"""Telling: what is in the journal's outbox is leased, published and done (smn-obs-core.md C4). One call an event."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.domain.model import Verdict
from ges_upgrader.history.history import History
from ges_upgrader.history.outbox import Event
from ges_upgrader.history.records import AnyRecord, Claimed, Told
from ges_upgrader.notifications.messages import compose
from ges_upgrader.policy.schema import fingerprint
from ges_upgrader.running.context import Shell
from ges_upgrader.running.report import Account

LEASE_BEYOND_RUN = timedelta(seconds=60)


def tell(shell: Shell, account: Account, only: Collection[str] | None = None) -> None:
    """Sends what is in the outbox, or of that `only` these: leased, published, done (smn-obs-core.md C4)."""
    for event in shell.journal.history.outbox.deliverable(shell.clock.now()):
        left_for_later = event.id in account.untold or (only is not None and event.id not in only)
        if left_for_later or shell.remaining() <= timedelta():
            continue
        if not _wanted(shell, event):
            account.note(Told(at=shell.clock.now(), event_id=event.id, message_id=""))
        elif _claim(shell, account, event):
            _publish(shell, account, event)


def _wanted(shell: Shell, event: Event) -> bool:
    if event.notice is not None:
        return event.notice.notice_kind in ("unclear", "planned", *shell.policy.outlet.on)
    return ("succeeded" if event.verdict is Verdict.SUCCEEDED else "failed") in shell.policy.outlet.on


def _claim(shell: Shell, account: Account, event: Event) -> bool:
    """Whether the event is this run's to send."""
    now = shell.clock.now()
    until = now + max(shell.remaining(), timedelta()) + LEASE_BEYOND_RUN
    claim = Claimed(at=now, event_id=event.id, run_id=shell.run_id, until=until)

    def free(history: History) -> list[AnyRecord]:
        return [] if history.outbox.delivered(event.id) or history.outbox.leased(event.id, now) else [claim]

    return bool(account.write(free))


def _publish(shell: Shell, account: Account, event: Event) -> None:
    topic = shell.policy.outlet.topic
    message = compose(event, shell.run_id, fingerprint(shell.policy), shell.journal.lasting)
    home = shell.home
    project_id = home.project_id if home.region == topic.region and home.project_id else topic.project_id
    try:
        message_id = shell.smn.publish(topic.region, project_id, topic.urn, message.subject, message.texts)
    except CloudError as error:
        shell.log.error("result.untold", event_id=event.id, error=str(error))
        account.complain(f"{error}; event {event.id} was not told; it is kept and sent again by a later run")
        account.untold.add(event.id)
        if not error.may_have_acted:  # the lease is given back, as nobody can have got the message
            now = shell.clock.now()
            account.note(Claimed(at=now, event_id=event.id, run_id=shell.run_id, until=now))
        return
    account.notified += 1
    shell.log.info("result.told", event_id=event.id, message_id=message_id)
    account.note(Told(at=shell.clock.now(), event_id=event.id, message_id=message_id))
