"""The journal as a state machine: several runs, files that are folded, lost answers and deaths at every write.

The model is what was acknowledged. `HYPOTHESIS_PROFILE=thorough` makes 5,000 examples of it.
"""

from __future__ import annotations

import itertools
from contextlib import suppress
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord, Claimed, Noticed, Resumed, Told
from ges_upgrader.journal.segments import Journal
from ges_upgrader.journal.storage import JournalError, Memory
from tests.builders import NOW

KEEP = timedelta(days=30)


class Died(BaseException):
    """The process was killed."""


class Disk(Memory):
    """Files that outlive their writers. After so many writes `fate` says how the next one goes.

    After `reads` more the one after them fails, once.
    """

    lasting = True

    def __init__(self) -> None:
        super().__init__()
        self.fate, self.writes = "", 0
        self.reads: int | None = None

    def read(self, name: str, position: int = 0) -> bytes | None:
        if self.reads is not None:
            self.reads -= 1
            if self.reads < 0:
                self.reads = None
                raise JournalError("busy")
        return super().read(name, position)

    def append(self, name: str, position: int, data: bytes) -> None:
        self.writes -= 1
        fate, self.fate = (self.fate, "") if self.writes < 0 else ("", self.fate)
        if fate == "killed before":
            raise Died
        if fate == "refused":
            raise JournalError("busy")
        if fate == "broken off" and position:  # a file is made whole, or not at all
            data = data[: len(data) // 2]
        super().append(name, position, data)
        if fate in ("killed after", "broken off"):
            raise Died
        if fate == "unknown":
            raise JournalError("whether it was written is not known")


FATES = st.sampled_from(["", "", "", "", "killed before", "killed after", "broken off", "refused", "unknown"])


class Machine(RuleBasedStateMachine):
    runs = Bundle("runs")

    @initialize(target=runs)
    def begin(self) -> MultipleResults[Journal]:
        self.disk = Disk()
        self.now = NOW
        self.numbers = itertools.count()
        self.acknowledged: set[str] = set()
        self.tried: set[str] = set()
        self.winners: dict[str, str] = {}
        self.under_way = 2
        return multiple(Journal(self.disk), Journal(self.disk))

    @rule(target=runs)
    def open(self) -> Journal:
        self.under_way += 1
        journal = Journal(self.disk)
        journal.refresh()
        return journal

    @rule(run=runs)
    def look(self, run: Journal) -> None:
        run.refresh()

    @rule(run=runs, fate=FATES)
    def tell_of(self, run: Journal, fate: str) -> None:
        name = f"n{next(self.numbers)}"
        self.tried.add(name)
        if self.write(run, fate, Noticed(at=self.now, notice_id=name, text="")):
            self.acknowledged.add(name)

    @rule(run=runs, fate=FATES, event=st.sampled_from(["e1", "e2", "e3"]))
    def claim(self, run: Journal, fate: str, event: str) -> None:
        """Of all that want an event one gets it."""
        mine = f"run-{next(self.numbers)}"

        def free(history: History) -> list[AnyRecord]:
            wanted = Claimed(at=self.now, event_id=event, run_id=mine, until=self.now + timedelta(days=3650))
            return [] if history.outbox.lease_of(event) else [wanted]

        self.disk.fate = fate
        with suppress(JournalError, Died):
            if run.commit(free):
                assert event not in self.winners
                self.winners[event] = mine
        self.disk.fate = ""

    @rule(run=runs, days=st.sampled_from([0, 1, 8, 40]), fate=FATES, writes=st.integers(0, 2))
    def tidy(self, run: Journal, days: int, fate: str, writes: int) -> None:
        """A file is sealed and the next begun, or the run dies at any of the three writes."""
        self.write(run, "", Told(at=self.now, event_id=f"t{next(self.numbers)}", message_id=""))
        self.now += timedelta(days=days)
        self.disk.fate, self.disk.writes = fate, writes
        with suppress(JournalError, Died):
            run.tidy(self.now, KEEP)
        self.disk.fate, self.disk.writes = "", 0

    @rule(run=runs, reads=st.none() | st.integers(0, 2), fate=st.sampled_from(["", "refused", "unknown"]))
    def lose_sight(self, run: Journal, reads: int | None, fate: str) -> None:
        """Out of reach for a while: nothing that a run knows is given up, and what it heard meanwhile is written after."""
        run.refresh()
        heard = Told(at=self.now, event_id=f"h{next(self.numbers)}", message_id="")
        run.history.readable = False
        run.remember(lambda _: [heard])
        knew = set(run.history.outbox.pending_ids())
        self.disk.reads, self.disk.fate = reads, fate
        for _ in range(3):
            with suppress(JournalError):
                run.refresh()
            assert run.history.outbox.delivered(heard.event_id)
            assert knew <= set(run.history.outbox.pending_ids())
        self.disk.reads, self.disk.fate = None, ""
        fresh = Journal(self.disk)
        fresh.refresh()
        assert fresh.history.outbox.delivered(heard.event_id)

    @precondition(lambda self: self.under_way > 1)
    @rule(run=consumes(runs))
    def end(self, run: Journal) -> None:
        """A run that is over writes no more."""
        self.under_way -= 1

    @rule(run=runs)
    def resume(self, run: Journal) -> None:
        self.write(run, "", Resumed(at=self.now))

    def write(self, run: Journal, fate: str, record: AnyRecord) -> bool:
        self.disk.fate = fate
        try:
            run.write(record)
        except (JournalError, Died):
            return False
        finally:
            self.disk.fate = ""
        return True

    @invariant()
    def what_was_acknowledged_is_there_once_and_nothing_that_was_not_tried(self) -> None:
        if not hasattr(self, "disk"):
            return
        fresh = Journal(self.disk)
        fresh.refresh()
        there = [event.id for event in fresh.history.outbox.pending()]
        assert len(there) == len(set(there))
        assert self.acknowledged <= set(there) <= self.tried
        for event, winner in self.winners.items():
            lease = fresh.history.outbox.lease_of(event)
            assert lease is not None
            assert lease.run_id == winner

    @invariant()
    def two_that_read_know_the_same(self) -> None:
        if not hasattr(self, "disk"):
            return
        first, second = Journal(self.disk), Journal(self.disk)
        first.refresh()
        second.refresh()
        assert first.history.controls.damages == second.history.controls.damages
        assert first.history.outbox.pending_ids() == second.history.outbox.pending_ids()


TestJournal = Machine.TestCase
TestJournal.settings = settings(stateful_step_count=30)
