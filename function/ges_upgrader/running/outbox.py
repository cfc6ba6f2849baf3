"""Delivery: each event of the journal's outbox is leased, published, and recorded as delivered (smn-obs-core.md C4)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.history.history import History
from ges_upgrader.history.outbox import Event
from ges_upgrader.history.records import AnyRecord, Claimed, Told
from ges_upgrader.journal.writer import JournalWriter
from ges_upgrader.notifications.kinds import kind_of
from ges_upgrader.notifications.messages import compose
from ges_upgrader.policy.schema import fingerprint
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.results.report import RunReport

LEASE_BEYOND_RUN = timedelta(seconds=60)


class Deliverer:
    """Sends what one run finds in the outbox. What could not be sent is left to a later run."""

    def __init__(self, context: RunContext, writer: JournalWriter, report: RunReport) -> None:
        self._context, self._writer, self._report = context, writer, report
        self._failed: set[str] = set()

    def deliver(self, only: Collection[str] | None = None) -> None:
        """Sends every event that may be sent, or of those `only` these."""
        for event in self._writer.history.outbox.deliverable(self._context.clock.now()):
            if (only is None or event.id in only) and self._may_try(event):
                self._deliver(event)

    def _may_try(self, event: Event) -> bool:
        return event.id not in self._failed and self._context.remaining() > timedelta()

    def _deliver(self, event: Event) -> None:
        if not self._wanted(event):
            self._writer.note(Told(at=self._context.clock.now(), event_id=event.id, message_id=""))
        elif self._claim(event):
            self._publish(event)

    def _wanted(self, event: Event) -> bool:
        outlet = self._context.policy.outlet
        if event.notice is not None:
            return outlet.wants_notice(kind_of(event.notice))
        return event.verdict is not None and outlet.wants_outcome(event.verdict.value)

    def _claim(self, event: Event) -> bool:
        """Whether the event is this run's to send."""
        context, now = self._context, self._context.clock.now()
        until = now + max(context.remaining(), timedelta()) + LEASE_BEYOND_RUN
        claim = Claimed(at=now, event_id=event.id, run_id=context.run_id, until=until)

        def free(history: History) -> list[AnyRecord]:
            return [] if history.outbox.delivered(event.id) or history.outbox.leased(event.id, now) else [claim]

        return bool(self._writer.write(free))

    def _publish(self, event: Event) -> None:
        try:
            message_id = self._send(event)
        except CloudError as error:
            self._failed.add(event.id)
            self._context.log.error("notification.failed", event_id=event.id, error=str(error))
            self._report.complain(f"{error}; event {event.id} was not delivered; a later run sends it again")
            if not error.may_have_acted:
                self._give_back(event)
            return
        self._report.notified += 1
        self._context.log.info("notification.sent", event_id=event.id, message_id=message_id)
        self._writer.note(Told(at=self._context.clock.now(), event_id=event.id, message_id=message_id))

    def _send(self, event: Event) -> str:
        """The message's id. Raises CloudError."""
        context, writer = self._context, self._writer
        topic, home = context.policy.outlet.topic, context.home
        message = compose(event, context.run_id, fingerprint(context.policy), writer.lasting, writer.history.readable)
        subject, texts = context.secrets.mask(message.subject), context.secrets.mask_all(message.texts)
        project_id = home.project_id if home.region == topic.region and home.project_id else topic.project_id
        return context.smn.publish(topic.region, project_id, topic.urn, subject, texts)

    def _give_back(self, event: Event) -> None:
        """Ends the lease, as nobody can have received the message."""
        now = self._context.clock.now()
        self._writer.note(Claimed(at=now, event_id=event.id, run_id=self._context.run_id, until=now))
