"""The records of the journal. Each says what happened, and never changes.

GES is the truth for versions, states and jobs; a record holds only what cannot be read there (smn-obs-core.md C4). A field
that is unknown comes from a later version of the function: such a record is damage (`forbid_unknown_fields`).
"""

from __future__ import annotations

from enum import Enum
from typing import Union

import msgspec

from ges_upgrader.domain.latency import Latency
from ges_upgrader.domain.model import Attempt, BackupAttempt, Release, Verdict
from ges_upgrader.domain.timestamps import Instant
from ges_upgrader.domain.version import Version

UNWRITTEN = "unwritten:"  # how the id of a notice begins that holds only while the journal is unavailable


class Record(msgspec.Struct, frozen=True, tag_field="kind", kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    at: Instant


class ReleaseSource(str, Enum):
    """Who named a release."""

    UNKNOWN = "unknown"  # recorded before sources were; counts as named by an operator
    MESSAGE = "message"  # an announcement
    COMMAND = "command"  # the command `release`
    POLICY = "policy"  # `releases` of the policy


class Released(Record, frozen=True, tag="released"):
    """A version was announced, or named by an operator."""

    release: Release
    source: ReleaseSource = ReleaseSource.UNKNOWN
    by: str | None = None


class Withdrawn(Record, frozen=True, tag="withdrawn"):
    """A version was withdrawn: nothing more is started to it until it is reinstated."""

    version: Version
    reason: str | None = None
    by: str | None = None


class Reinstated(Record, frozen=True, tag="reinstated"):
    """A withdrawal was taken back."""

    version: Version
    reason: str | None = None
    by: str | None = None


class Questioned(Record, frozen=True, tag="questioned"):
    """A message may withdraw a version or warn of it: nothing is started to it until `withdraw` or `release` decides."""

    version: Version
    notice_id: str


class Intended(Record, frozen=True, tag="intended"):
    """Written before the upgrade call, so that a call whose answer is lost is known."""

    attempt: Attempt


class Started(Record, frozen=True, tag="started"):
    """The job of an attempt became known. `inferred`: found in GES's job centre by graph and time, not named by the answer."""

    attempt_id: str
    job_id: str
    inferred: bool = False


class Sighted(Record, frozen=True, tag="sighted"):
    """A run saw an attempt or a backup in a way that must be seen several times before it counts.

    `verdict` None: what was seen contradicts the sightings before, which no longer count.
    """

    subject: str
    verdict: Verdict | None


class Refused(Record, frozen=True, tag="refused"):
    """The call of an attempt did not act; `code` is the service's, or a word for what happened.

    `unknown_target`: the refusal can mean that GES does not know the target version (interface.md, Announcements).
    """

    attempt_id: str
    code: str
    detail: str
    unknown_target: bool = False


class Ended(Record, frozen=True, tag="ended"):
    """What became of an attempt. It is also the outbox entry of the message that reports it.

    `halts`: it is the failure that fills the rule's max_failures; `job_ended_at`: when its job ended, if that is known;
    `after`: what the health check measured after the upgrade.
    """

    attempt_id: str
    verdict: Verdict
    detail: str | None = None
    halts: bool = False
    job_ended_at: Instant | None = None
    after: tuple[Latency, ...] = ()


class Moved(Record, frozen=True, tag="moved"):
    """The attempt's rule was removed from the policy: the attempt counts under the rule that governs its graph now."""

    attempt_id: str
    rule: str


class Approved(Record, frozen=True, tag="approved"):
    """An operator approved a version, for a rule or for a graph."""

    version: Version
    rule: str | None = None
    graph_id: str | None = None
    reason: str | None = None
    by: str | None = None


class Paused(Record, frozen=True, tag="paused"):
    """Nothing more is started: at all, under a rule, or to a graph."""

    rule: str | None = None
    graph_id: str | None = None
    reason: str | None = None
    by: str | None = None


class Unpaused(Record, frozen=True, tag="unpaused"):
    """`resume`: pauses end and damage of the journal is lifted, everywhere, under a rule, or for a graph."""

    rule: str | None = None
    graph_id: str | None = None
    reason: str | None = None
    by: str | None = None


class Resumed(Record, frozen=True, tag="resumed"):
    """`resume` as versions before 2.0 recorded it: it ended pauses and damage, and cleared failures as well."""

    rule: str | None = None
    graph_id: str | None = None
    version: Version | None = None
    reason: str | None = None


class Retried(Record, frozen=True, tag="retried"):
    """`retry`: failures, refusals, failed backups and versions that were set aside no longer count.

    Of those, the ones that fit everything given: the rule, the graph, the version. `rolled_back` are the ids of the graphs
    that an operator had rolled back by then, and that may be upgraded again.
    """

    rule: str | None = None
    graph_id: str | None = None
    version: Version | None = None
    reason: str | None = None
    by: str | None = None
    rolled_back: tuple[str, ...] = ()


class Verified(Record, frozen=True, tag="verified"):
    """Every graph of a rule was seen at the version or a later one. The soak counts from here."""

    rule: str
    version: Version


class FellBehind(Record, frozen=True, tag="fell-behind"):
    """A graph of a rule that had reached a later version was seen at this one: later ones must be verified again."""

    rule: str
    version: Version


class BackupIntended(Record, frozen=True, tag="backup-intended"):
    """Written before the call that makes a backup."""

    backup: BackupAttempt


class BackupStarted(Record, frozen=True, tag="backup-started"):
    backup_id: str
    job_id: str


class BackupEnded(Record, frozen=True, tag="backup-ended"):
    """A backup before an upgrade ended: it succeeded if `detail` is None, and its age counts from `made_at`.

    `made` is GES's id of it, if this tool certainly made it; `code` is GES's, if GES refused to make one.
    """

    backup_id: str
    made: str | None = None
    made_at: Instant | None = None
    code: str = "backup"
    detail: str | None = None


class BackedUp(Record, frozen=True, tag="backed-up"):
    """A successful backup of the graph was seen, whoever made it; its age counts from `made_at`."""

    graph_id: str
    made_at: Instant
    project_id: str = ""


class Unobserved(Record, frozen=True, tag="unobserved"):
    """From here on a project could not be observed."""

    region: str
    project_id: str
    error: str


class Observed(Record, frozen=True, tag="observed"):
    """A project that could not be observed was observed again."""

    region: str
    project_id: str


class Noticed(Record, frozen=True, tag="noticed", rename={"notice_kind": "sort"}):
    """Something to report once that is no outcome. `notice_kind` is one of interface.md's kinds, or `blocked` from before 2.0.

    `subject` and `text` are the message; `graphs` are the ids of those it is about, to `version` under `rule`. Of a planned
    start, `starts` are the instants, in the order of `graphs`, before which it does not happen.
    """

    notice_id: str
    text: str
    notice_kind: str = "blocked"
    subject: str = ""
    rule: str | None = None
    version: Version | None = None
    graphs: tuple[str, ...] = ()
    starts: tuple[Instant, ...] = ()


class Claimed(Record, frozen=True, tag="claimed"):
    """A run leases the delivery of an event: until then no other run sends it."""

    event_id: str
    run_id: str
    until: Instant


class Told(Record, frozen=True, tag="told"):
    """SMN accepted the message of an event."""

    event_id: str
    message_id: str


AnyRecord = Union[
    Released,
    Withdrawn,
    Reinstated,
    Questioned,
    Approved,
    Paused,
    Unpaused,
    Resumed,
    Retried,
    Verified,
    FellBehind,
    Intended,
    Started,
    Sighted,
    Refused,
    Ended,
    Moved,
    BackupIntended,
    BackupStarted,
    BackupEnded,
    BackedUp,
    Unobserved,
    Observed,
    Noticed,
    Claimed,
    Told,
]
