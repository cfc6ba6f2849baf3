"""Compare-and-swap, and what becomes of half-written and foreign records."""

from __future__ import annotations

import errno
import multiprocessing
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from ges_upgrader.domain.model import Release, Verdict
from ges_upgrader.domain.version import Version
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord, Claimed, Ended, Intended, Noticed, Refused, Released, Resumed, Started, Told
from ges_upgrader.journal.segments import MOST_LINES, Journal
from ges_upgrader.journal.storage import Conflict, Folder, JournalError, Memory, Storage
from tests.builders import NOW, attempt, graph

MAKERS: list[Callable[[Path], Storage]] = [Folder, lambda _: Memory()]


def notice(number: int) -> Noticed:
    return Noticed(at=NOW, notice_id=f"n{number}", text="…")


@pytest.mark.parametrize("make", MAKERS)
def test_an_append_at_another_place_than_the_end_is_a_conflict(tmp_path: Path, make: Callable[[Path], Storage]) -> None:
    storage = make(tmp_path)
    assert storage.read("a") is None
    storage.append("a", 0, b"one\n")
    for position in (0, 3, 9):
        with pytest.raises(Conflict):
            storage.append("a", position, b"two\n")
    storage.append("a", 4, b"two\n")
    storage.append("b", 0, b"three\n")
    assert [storage.read("a", position) for position in (0, 4, 8)] == [b"one\ntwo\n", b"two\n", b""]


@pytest.mark.parametrize("make", MAKERS)
def test_what_was_written_is_the_history_of_the_next_run(tmp_path: Path, make: Callable[[Path], Storage]) -> None:
    storage, one = make(tmp_path), attempt(graph("a"), job_id=None)
    Journal(storage).write(Intended(at=NOW, attempt=one))
    later = Journal(storage)
    later.refresh()
    assert later.history.attempts.open_of(one.key) == one


def test_of_two_overlapping_runs_one_starts_a_graph(tmp_path: Path) -> None:
    one = attempt(graph("a"), job_id=None)

    def free(history: History) -> list[AnyRecord]:
        return [] if history.attempts.open_of(one.key) else [Intended(at=NOW, attempt=one)]

    first, second = Journal(Folder(tmp_path)), Journal(Folder(tmp_path))
    first.refresh()
    second.refresh()
    assert len(first.commit(free)) == 1
    assert second.commit(free) == []


def test_a_lease_keeps_others_out_until_it_ends_and_a_told_event_for_ever() -> None:
    history = History([notice(1), Claimed(at=NOW, event_id="n1", run_id="r1", until=NOW + timedelta(minutes=5))])
    assert history.outbox.deliverable(NOW) == []
    assert [event.id for event in history.outbox.deliverable(NOW + timedelta(minutes=5))] == ["n1"]
    history.apply(Told(at=NOW, event_id="n1", message_id="m"))
    assert history.outbox.deliverable(NOW + timedelta(days=1)) == []
    history.apply(notice(1))
    assert history.outbox.delivered("n1")


FIRST = "journal-1.jsonl"


def read(folder: Path) -> Journal:
    journal = Journal(Folder(folder))
    journal.refresh()
    return journal


def damage(line: bytes, folder: Path) -> tuple[str | None, str | None]:
    """The graph and the rule that a line which is not understood is about."""
    with (folder / FIRST).open("ab") as file:
        file.write(line)
    *_, found = read(folder).history.controls.damages.values()
    return found.graph_id, found.rule


def test_a_half_written_record_is_held_against_everything_and_swallows_nothing(tmp_path: Path) -> None:
    journal = Journal(Folder(tmp_path))
    journal.write(notice(1))
    assert damage(b'{"kind":"intended","at":"2026-11-23T00:00:00Z","attempt":{"graph_id":"g1"', tmp_path) == (None, None)
    again = read(tmp_path)
    again.write(notice(2))
    last = read(tmp_path)
    assert [event.id for event in last.history.outbox.deliverable(NOW)] == ["n1", "n2"]
    assert last.history.controls.damages == again.history.controls.damages
    assert len(last.history.controls.damages) == 1


@pytest.mark.parametrize(
    ("line", "scope"),
    [
        (b"garbage\n", (None, None)),
        (b"\xff\xfe{}\n", (None, None)),
        (b"[1]\n", (None, None)),
        (b'{"kind":"withdrawn","at":"2026-11-23T00:00:00Z","version":"x"}\n', (None, None)),
        (b'{"kind":"of tomorrow","at":"2026-11-23T00:00:00Z"}\n', (None, None)),
        (b'{"kind":"of tomorrow","at":"2026-11-23T00:00:00Z","graph_id":"g1","rule":"dev"}\n', ("g1", None)),
        (b'{"kind":"paused","at":"2026-11-23T00:00:00Z","rule":"dev","until":"2026-12-23T00:00:00Z"}\n', (None, "dev")),
        (b'{"kind":"retried","at":"2026-11-23T00:00:00Z","graph_id":"g1","how":"gently"}\n', ("g1", None)),
        (b'{"kind":"intended","at":"2026-11-23T00:00:00Z","attempt":{"id":"x","graph_id":"g1","rule":"dev"}}\n', ("g1", None)),
        (b'{"kind":"started","at":"2026-11-23T00:00:00Z","attempt_id":"x","job_id":"y"}\n', (None, None)),
        (b'{"kind":"backup-ended","at":"2026-11-23T00:00:00Z","backup_id":"x"}\n', (None, None)),
    ],
)
def test_a_record_that_is_not_understood_is_held_against_what_it_is_about(
    tmp_path: Path, line: bytes, scope: tuple[str | None, str | None]
) -> None:
    assert damage(line, tmp_path) == scope


def test_what_follows_a_record_that_is_not_understood_is_about_the_same(tmp_path: Path) -> None:
    damage(b'{"kind":"intended","at":"2026-11-23T00:00:00Z","attempt":{"id":"x","graph_id":"g1"},"new":1}\n', tmp_path)
    assert damage(b'{"kind":"started","at":"2026-11-23T00:00:00Z","attempt_id":"x","job_id":"y"}\n', tmp_path) == ("g1", None)


@pytest.mark.parametrize(
    ("said", "lifted"),
    [
        (Resumed(at=NOW), ["g1", "dev", None]),
        (Resumed(at=NOW, graph_id="g1"), ["g1"]),
        (Resumed(at=NOW, rule="dev"), ["dev"]),
        (Resumed(at=NOW, graph_id="g2"), []),
        (Resumed(at=NOW, version=Version("2.4.9")), []),
    ],
)
def test_resume_lifts_what_a_damage_holds(tmp_path: Path, said: Resumed, lifted: list[str | None]) -> None:
    damage(b'{"kind":"retried","at":"2026-11-23T00:00:00Z","graph_id":"g1","how":"gently"}\n', tmp_path)
    damage(b'{"kind":"paused","at":"2026-11-23T00:00:00Z","rule":"dev","how":"gently"}\n', tmp_path)
    damage(b"garbage\n", tmp_path)
    journal = read(tmp_path)
    before = {one.graph_id or one.rule for one in journal.history.controls.damages.values()}
    journal.write(said)
    after = {one.graph_id or one.rule for one in read(tmp_path).history.controls.damages.values()}
    assert before - after == set(lifted)
    assert journal.history.controls.damages == read(tmp_path).history.controls.damages


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError):
        Folder(tmp_path / "file").read("a")
    with pytest.raises(JournalError):
        Folder(tmp_path / "file").append("a", 0, b"one\n")


def test_an_empty_file_that_was_left_there_is_written_on(tmp_path: Path) -> None:
    (tmp_path / "journal-1.jsonl").write_bytes(b"")
    Journal(Folder(tmp_path)).write(notice(1))
    assert [event.id for event in read(tmp_path).history.outbox.deliverable(NOW)] == ["n1"]
    with pytest.raises(Conflict):
        Folder(tmp_path).append("journal-1.jsonl", 0, b"again\n")


def test_what_is_heard_late_of_one_attempt_leaves_the_next_one_open() -> None:
    demo = graph("demo")
    first, second = (
        msgspec.structs.replace(attempt(demo, version), id=version, job_id=None) for version in ("2.4.9", "2.4.15")
    )
    history = History([Intended(at=NOW, attempt=first), Ended(at=NOW, attempt_id=first.id, verdict=Verdict.SUCCEEDED)])
    for record in (Intended(at=NOW, attempt=second), Started(at=NOW, attempt_id=first.id, job_id="job")):
        history.apply(record)
    assert history.attempts.open() == [second]
    history.apply(Refused(at=NOW, attempt_id=first.id, code="too-late", detail=""))
    assert history.attempts.open() == [second]


def _write_many(folder: str, writer: int) -> None:
    journal = Journal(Folder(Path(folder)))
    for number in range(20):
        journal.write(Noticed(at=NOW, notice_id=f"{writer}-{number}", text=""))


def test_concurrent_processes_lose_no_record(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_many, args=(str(tmp_path), writer)) for writer in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    journal = Journal(Folder(tmp_path))
    journal.refresh()
    assert {event.id for event in journal.history.outbox.deliverable(NOW)} == {f"{w}-{n}" for w in range(3) for n in range(20)}


def test_a_journal_that_grows_goes_on_in_a_new_file_with_what_still_matters(tmp_path: Path) -> None:
    journal = Journal(Folder(tmp_path))
    journal.write(Released(at=NOW, release=Release(Version("2.4.9"))))
    for number in range(MOST_LINES // 2):
        journal.write(notice(number))
        journal.write(Told(at=NOW, event_id=f"n{number}", message_id=""))
    journal.tidy(NOW + timedelta(days=2), timedelta(days=1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["head", "journal-1.jsonl", "journal-2.jsonl"]
    assert len((tmp_path / "journal-2.jsonl").read_bytes().splitlines()) == 2
    again = read(tmp_path)
    assert list(again.history.releases.known) == [Version("2.4.9")]
    again.write(notice(9999))
    assert [event.id for event in read(tmp_path).history.outbox.deliverable(NOW)] == ["n9999"]


def test_what_is_old_is_folded_away_once_a_week(tmp_path: Path) -> None:
    journal = Journal(Folder(tmp_path))
    journal.write(notice(1), Told(at=NOW, event_id="n1", message_id=""), notice(2))
    for days, files in ((1, 1), (6.9, 1), (7, 3), (14, 3), (30, 3)):
        again = read(tmp_path)
        again.tidy(NOW + timedelta(days=days), timedelta(days=1))
        assert len(list(tmp_path.iterdir())) == files, days
    assert [event.id for event in read(tmp_path).history.outbox.deliverable(NOW)] == ["n2"]
    assert not read(tmp_path).history.outbox.delivered("n1")


class Dying:
    """A folder whose process dies before its so-manieth write."""

    lasting = True
    unsure: str | None = None

    def __init__(self, folder: Path, writes: int) -> None:
        self._folder, self._left = Folder(folder), writes

    def names(self) -> Iterable[str]:
        return self._folder.names()

    def read(self, name: str, position: int = 0) -> bytes | None:
        return self._folder.read(name, position)

    def append(self, name: str, position: int, data: bytes) -> None:
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        self._folder.append(name, position, data)


@pytest.mark.parametrize("writes", [0, 1, 2, 3])
def test_a_process_that_dies_while_it_begins_a_new_file_loses_nothing(tmp_path: Path, writes: int) -> None:
    journal = Journal(Folder(tmp_path))
    journal.write(notice(1), Told(at=NOW, event_id="n1", message_id=""), notice(2))
    dying, late = Journal(Dying(tmp_path, writes)), read(tmp_path)
    dying.refresh()
    with suppress(KeyboardInterrupt):
        dying.tidy(NOW + timedelta(days=30), timedelta(days=1))
    assert [event.id for event in read(tmp_path).history.outbox.deliverable(NOW)] == ["n2"]
    late.write(notice(3))
    for _ in range(2):
        again = read(tmp_path)
        assert [event.id for event in again.history.outbox.deliverable(NOW)] == ["n2", "n3"]
        again.tidy(NOW + timedelta(days=30), timedelta(days=1))
    assert (tmp_path / "head").read_bytes() == b"2\n"
    assert [event.id for event in read(tmp_path).history.outbox.deliverable(NOW)] == ["n2", "n3"]


@pytest.mark.parametrize("lift", [False, True])
def test_a_damage_is_folded_away_only_when_it_was_lifted(tmp_path: Path, lift: bool) -> None:
    damage(b"garbage\n", tmp_path)
    journal = read(tmp_path)
    journal.write(notice(1), Told(at=NOW, event_id="n1", message_id=""), *([Resumed(at=NOW)] if lift else []))
    journal.tidy(NOW + timedelta(days=30), timedelta(days=1))
    assert len(read(tmp_path).history.controls.damages) == (0 if lift else 1)
    assert (b"garbage" in (tmp_path / "journal-2.jsonl").read_bytes()) is not lift


def test_a_number_that_is_broken_off_does_not_run_into_the_next(tmp_path: Path) -> None:
    journal = Journal(Folder(tmp_path))
    journal.write(notice(1))
    (tmp_path / "head").write_bytes(b"1")
    for days in (30, 60):
        journal = read(tmp_path)
        journal.write(Told(at=NOW, event_id=f"t{days}", message_id=""))
        journal.tidy(NOW + timedelta(days=days), timedelta(days=1))
    assert (tmp_path / "head").read_bytes() == b"1\n2\n3\n"
    assert [event.id for event in read(tmp_path).history.outbox.deliverable(NOW)] == ["n1"]


@pytest.mark.parametrize("kind", ["sealed", "begun"])
def test_a_file_that_a_later_version_sealed_or_began_is_written_to_no_more(tmp_path: Path, kind: str) -> None:
    journal = Journal(Folder(tmp_path))
    journal.write(notice(1))
    with (tmp_path / "journal-1.jsonl").open("a") as file:
        file.write(f'{{"kind":"{kind}","at":"2026-11-23T02:00:00Z","later":1}}\n')
    with pytest.raises(JournalError, match="by another version of the function"):
        journal.write(notice(2))
    assert journal.history.outbox.pending_ids() == ["n1"]
    with pytest.raises(JournalError, match="by another version of the function"):
        read(tmp_path)


def test_a_disk_without_room_is_left_without_a_half_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(Folder(tmp_path))
    journal.write(notice(1))
    before = (tmp_path / "journal-1.jsonl").read_bytes()
    pwrite = os.pwrite

    def full(handle: int, data: bytes, position: int) -> int:
        if len(data) < 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(handle, data[:10], position)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(JournalError, match="No space left"):
        journal.write(notice(2))
    assert (tmp_path / "journal-1.jsonl").read_bytes() == before


def test_what_a_damage_is_about_is_still_known_when_the_journal_is_folded(tmp_path: Path) -> None:
    journal = Journal(Folder(tmp_path))
    one = attempt(graph("a"))
    journal.write(Intended(at=NOW, attempt=one))
    damage(f'{{"kind":"ended","attempt_id":"{one.id}","verdict":"marvellous"}}\n'.encode(), tmp_path)
    journal.refresh()
    journal.write(Ended(at=NOW, attempt_id=one.id, verdict=Verdict.SUCCEEDED))
    journal.write(Told(at=NOW, event_id=f"{one.job_id}:succeeded", message_id=""))
    journal.tidy(NOW + timedelta(days=60), timedelta(days=30))
    (damaged,) = read(tmp_path).history.controls.damages.values()
    assert damaged.graph_id == one.graph_id


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "head").write_bytes(b"7\n")
    with pytest.raises(JournalError, match=r"journal-7\.jsonl is missing"):
        read(tmp_path)
