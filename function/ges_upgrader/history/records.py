"""The records of the journal. Each says what happened, and is never changed.

GES is the truth for versions, states and jobs; a record holds only what cannot be read there (smn-obs-core.md C4). A field
that is not known comes from a later version of the function: such a record is not understood (`forbid_unknown_fields`).
"""

from __future__ import annotations

from typing import Union

import msgspec

from ges_upgrader.domain.model import Attempt, BackupAttempt, Release, Verdict
from ges_upgrader.domain.timestamps import Instant
from ges_upgrader.domain.version import Version

UNWRITTEN = "unwritten:"  # how the id of a notice begins that holds only while the journal is out of reach


class Record(msgspec.Struct, frozen=True, tag_field="kind", kw_only=True, forbid_unknown_fields=True):
    at: Instant


class Released(Record, frozen=True, tag="released"):
    """A version was announced. The first one of a version is its first sight; later ones narrow it."""

    release: Release


class Withdrawn(Record, frozen=True, tag="withdrawn"):
    """A version was withdrawn: nothing more is started to it."""

    version: Version
    reason: str | None = None


class Intended(Record, frozen=True, tag="intended"):
    """Written before the upgrade call, so that a call whose answer is lost is known of."""

    attempt: Attempt


class Started(Record, frozen=True, tag="started"):
    """The job of an attempt became known: from the call's answer, or found in GES's job centre."""

    attempt_id: str
    job_id: str


class Refused(Record, frozen=True, tag="refused"):
    """The call of an attempt did not act; `code` is the service's, or a word for what happened."""

    attempt_id: str
    code: str
    detail: str


class Ended(Record, frozen=True, tag="ended"):
    """What became of an attempt. It is also the outbox entry of the message that tells it.

    `halts`: it is the failure that fills the rule's max_failures; `job_ended_at`: when its job ended, where that is known.
    """

    attempt_id: str
    verdict: Verdict
    detail: str | None = None
    halts: bool = False
    job_ended_at: Instant | None = None


class Moved(Record, frozen=True, tag="moved"):
    """The rule of an attempt is gone from the policy: the attempt counts under the rule that governs its graph now."""

    attempt_id: str
    rule: str


class Approved(Record, frozen=True, tag="approved"):
    """Somebody approved a version, for a rule or for a graph."""

    version: Version
    rule: str | None = None
    graph_id: str | None = None
    reason: str | None = None


class Paused(Record, frozen=True, tag="paused"):
    """Nothing more is started: at all, under a rule, or to a graph."""

    rule: str | None = None
    graph_id: str | None = None
    reason: str | None = None


class Resumed(Record, frozen=True, tag="resumed"):
    """What was paused or halted goes on: everything, or what belongs to a rule, a graph or a version."""

    rule: str | None = None
    graph_id: str | None = None
    version: Version | None = None
    reason: str | None = None


class Retried(Record, frozen=True, tag="retried"):
    """What went wrong with a graph is forgotten: its failures, refusals and failed backups."""

    graph_id: str
    reason: str | None = None


class Verified(Record, frozen=True, tag="verified"):
    """Every graph of a rule was seen at the version or a later one. The soak counts from here."""

    rule: str
    version: Version


class FellBehind(Record, frozen=True, tag="fell-behind"):
    """A graph of a rule that had come further was seen at the version: later ones are yet to be verified again."""

    rule: str
    version: Version


class BackupIntended(Record, frozen=True, tag="backup-intended"):
    """Written before the call that makes a backup."""

    backup: BackupAttempt


class BackupStarted(Record, frozen=True, tag="backup-started"):
    backup_id: str
    job_id: str


class BackupEnded(Record, frozen=True, tag="backup-ended"):
    """A backup before an upgrade ended: well where `detail` is None, and its age counts from `made_at`.

    `made` is GES's id of it, where it is certain that it was made here; `code` is GES's, where it refused to make one.
    """

    backup_id: str
    made: str | None = None
    made_at: Instant | None = None
    code: str = "backup"
    detail: str | None = None


class BackedUp(Record, frozen=True, tag="backed-up"):
    """A successful backup of the graph was seen, by whatever hand; its age counts from `made_at`."""

    graph_id: str
    made_at: Instant


class Noticed(Record, frozen=True, tag="noticed"):
    """Something that is to be told once, and is no outcome. `sort` is one of those that `notify` chooses by.

    `subject` and `text` are the message; `graphs` are the ids of those it is about, to `version` under `rule`.
    """

    notice_id: str
    text: str
    sort: str = "blocked"
    subject: str = ""
    rule: str | None = None
    version: Version | None = None
    graphs: tuple[str, ...] = ()


class Claimed(Record, frozen=True, tag="claimed"):
    """A run leases the telling of an event: until then no other run sends it."""

    event_id: str
    run_id: str
    until: Instant


class Told(Record, frozen=True, tag="told"):
    """The message of an event was accepted by SMN."""

    event_id: str
    message_id: str


AnyRecord = Union[
    Released,
    Withdrawn,
    Approved,
    Paused,
    Resumed,
    Retried,
    Verified,
    FellBehind,
    Intended,
    Started,
    Refused,
    Ended,
    Moved,
    BackupIntended,
    BackupStarted,
    BackupEnded,
    BackedUp,
    Noticed,
    Claimed,
    Told,
]
