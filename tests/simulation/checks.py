"""What must never happen, and what must in the end: read off the cloud's own history and the harness's own acts.

Nothing here asks the function, its policy parser or its calendar.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from packaging.version import Version

from huaweicloud_simulator import Cloud
from huaweicloud_simulator.ges.models import Graph, Upgrade
from huaweicloud_simulator.scheduler import Process
from huaweicloud_simulator.smn.models import Message
from huaweicloud_simulator.wire import Request, Response
from tests.simulation.liveness import Bound
from tests.simulation.policies import Policy, Rule

SLACK = timedelta(seconds=45)  # the clocks of two runs, and a call on its way
APPROVAL_LIFETIME, BACKUP_MAX_AGE = timedelta(days=14), timedelta(hours=24)
CALLS_TAKE = timedelta(minutes=2)  # a job begins at most this much later than it was meant to
FAILED = ("failed", "rolled-back", "version-unchanged", "vanished", "unhealthy")


class Violation(BaseException):
    """The function did what it must not, or not what it must. Nothing in the function catches it."""


@dataclass
class Said:
    """A command that was given to the function; `held` from when it was acknowledged."""

    command: dict[str, Any]
    given: datetime
    policy: Policy
    held: datetime | None = None

    def covers(self, rule: Rule | None, graph: Graph) -> bool:
        """Whether it is about a graph of the rule: it says of all, of the rule, or of the graph."""
        named = self.command.get("rule")
        return (named is None or (rule is not None and named == rule.name)) and self.command.get("graph") in (None, graph.id)

    def covered(self, graph: Graph) -> bool:
        """Whether it was about the graph, by the policy of its time."""
        return self.covers(self.policy.rule_of(graph.name), graph)


@dataclass
class Life:
    """What became of a graph, apart from its upgrades."""

    graph: Graph
    created: datetime
    deleted: datetime | None = None


@dataclass
class Seen:
    """What a process has done so far, under which policy. `intents`: graphs that it wrote an intent for and not yet started."""

    policy: Policy
    intents: set[str] = field(default_factory=set)
    written: datetime | None = None


class Checks:
    """`exact`: nothing is killed, lost or out of reach, so nothing is told twice."""

    def __init__(self, policy: Policy, cloud: Cloud, exact: bool) -> None:
        self.policy, self.cloud, self.exact = policy, cloud, exact
        self.lives: dict[str, Life] = {}
        self.started: dict[str, tuple[Upgrade, Rule]] = {}
        self.results = self.repeats = 0
        self._by_hand: set[str] = set()
        self._given_up: set[str] = set()
        self._known: dict[str, datetime] = {}
        self._jobs_written: set[str] = set()
        self._said: dict[Process, Said] = {}
        self._seen: dict[Process, Seen] = {}
        self._rolled_back: dict[str, tuple[str, datetime]] = {}
        self._upgrades = 0
        self._looks: list[tuple[datetime, datetime]] = []
        self._damages: list[datetime] = []
        self._planned: dict[tuple[str, str], datetime] = {}
        self._well: Bound | None = None
        self._attempts_told: dict[tuple[str, str, str], str] = {}
        self._told_at: dict[tuple[str, str], datetime] = {}
        self._events: dict[tuple[str, str], str] = {}
        self._notices: Counter[str] = Counter()
        self.outcomes: dict[str, set[str]] = defaultdict(set)

    # What the harness tells

    def exists(self, graph: Graph) -> None:
        self.lives[graph.id] = Life(graph, self.cloud.clock.now())

    def deleted(self, graph: Graph) -> None:
        self.lives[graph.id].deleted = self.cloud.clock.now()

    def rolled_back(self, graph: Graph, version: str) -> None:
        """Another operator began to take the graph back to before its upgrade to `version`."""
        mine = [job for job, (one, _) in self.started.items() if one.graph_id == graph.id and one.to_version == version]
        if any(self.outcomes[job] & {"succeeded", "unhealthy"} for job in mine):
            self._rolled_back[graph.id] = version, self.cloud.clock.now()

    def by_hand(self, upgrade: Upgrade) -> None:
        self._by_hand.add(upgrade.job_id)
        self._upgrades = len(self.cloud.upgrades)

    def gave_up(self, upgrade: Upgrade) -> None:
        """An upgrade that hung was ended by the operators."""
        self._given_up.add(upgrade.job_id)

    def damaged(self) -> None:
        """Somebody wrote into the journal what nobody understands."""
        self._damages.append(self.cloud.clock.now())

    def made_well(self, limit: timedelta, timer: timedelta) -> None:
        """From now on nothing goes wrong; `limit` is the time that a run has, `timer` that from one timer to the next."""
        graphs = Counter(
            rule.name for life in self.lives.values() if not life.deleted and (rule := self.policy.rule_of(life.graph.name))
        )
        self._well = Bound(self.policy, graphs, self.cloud.clock.now(), limit, timer)

    def announced(self, version: str) -> None:
        self._known.setdefault(version, self.cloud.clock.now())

    def invoked(self, process: Process, event: dict[str, Any]) -> None:
        self._seen[process] = Seen(self.policy)
        if "command" in event:
            self._said[process] = Said(event, self.cloud.clock.now(), self.policy)

    def returned(self, process: Process, event: dict[str, Any], result: dict[str, Any]) -> None:
        """A command whose run came to its end without an error holds from now on; what such a run saw is known."""
        now = self.cloud.clock.now()
        if process in self._said and not result["errors"]:
            self._said[process].held = now
        if not result["errors"] and event.get("command") != "plan":
            self._looks.append((process.began, now))

    # What is seen at the cloud

    def acted(self, process: Process, request: Request, response: Response) -> None:
        seen, now = self._seen[process], self.cloud.clock.now()
        if request.operation == "obs.append_object" and response.status == 200:
            seen.written = now
            for line in request.body.splitlines():
                record = json.loads(line) if line.startswith(b"{") else {}
                if record.get("kind") == "intended":
                    seen.intents.add(record["attempt"]["graph_id"])
                elif record.get("kind") == "started":
                    self._jobs_written.add(record["job_id"])
        for upgrade in self.cloud.upgrades[self._upgrades :]:
            self._began(process, upgrade, now)
        self._upgrades = len(self.cloud.upgrades)

    def _began(self, process: Process, upgrade: Upgrade, now: datetime) -> None:
        graph = self.lives[upgrade.graph_id].graph
        policy = self._seen[process].policy
        rule = policy.rule_of(graph.name)
        what = f"{process.name} started {graph.name} {upgrade.from_version} to {upgrade.to_version}"
        must(rule is not None, now, f"{what}: no rule governs it")
        assert rule is not None
        self._allowed(what, rule, upgrade, now)
        self._in_time(what, policy, rule, now)
        self._within_limits(what, policy, rule, upgrade, now)
        self._after_others(what, policy, rule, upgrade, process, now)
        self._agreed(what, policy, rule, graph, upgrade, process, now)
        self._left_alone(what, policy, rule, upgrade, process, now)
        self._not_undone(what, graph, upgrade, now)
        seen = self._seen[process]
        must(graph.id in seen.intents, now, f"{what}: without having written its intent down")
        seen.intents.discard(graph.id)
        self.started[upgrade.job_id] = (upgrade, rule)

    def _allowed(self, what: str, rule: Rule, upgrade: Upgrade, now: datetime) -> None:
        version = upgrade.to_version
        must(Version(version) > Version(upgrade.from_version), now, f"{what}: that is not later")
        must(version != rule.excluded, now, f"{what}: {rule.name} excludes it")
        known = self._known.get(version)
        must(known is not None, now, f"{what}: which nobody announced")
        assert known is not None
        must(
            now - known >= rule.min_release_age - SLACK, now, f"{what}: which is {now - known} old, not {rule.min_release_age}"
        )

    def _in_time(self, what: str, policy: Policy, rule: Rule, now: datetime) -> None:
        must(rule.open_at(now, SLACK), now, f"{what}: outside the windows of {rule.name}")
        for freeze in policy.freezes:
            frozen = freeze.begins - rule.cutoff + SLACK <= now < freeze.ends - SLACK
            must(
                not (frozen and rule.name in (freeze.rules or (rule.name,))),
                now,
                f"{what}: in a freeze, or {rule.cutoff} before it",
            )

    def _within_limits(self, what: str, policy: Policy, rule: Rule, upgrade: Upgrade, now: datetime) -> None:
        under_way = [one for one, _ in self.started.values() if self._runs(one, now)]
        of_rule = [one for one in under_way if self._rule_of(policy, one) is rule]
        must(not any(one.graph_id == upgrade.graph_id for one in under_way), now, f"{what}: it is under way already")
        must(len(of_rule) < rule.max_concurrent, now, f"{what}: as the {len(of_rule) + 1}th at once of {rule.name}")
        limit = policy.max_concurrent
        must(limit is None or len(under_way) < limit, now, f"{what}: as the {len(under_way) + 1}th at once of all")
        wrong = [
            one
            for one, _ in self.started.values()
            if self._rule_of(policy, one) is rule and one.to_version == upgrade.to_version and not self._pardoned(one)
            if self._runs(one, now) or (one.fate != "success" and not self._left_no_trace(one))
        ]
        must(len(wrong) < rule.max_failures, now, f"{what}: though {len(wrong)} failed or may fail, of {rule.max_failures}")

    def _rule_of(self, policy: Policy, upgrade: Upgrade) -> Rule | None:
        """The rule that governs the graph now: failures move with the graphs to other rules."""
        return policy.rule_of(self.lives[upgrade.graph_id].graph.name)

    def _not_undone(self, what: str, graph: Graph, upgrade: Upgrade, now: datetime) -> None:
        """A rollback by another operator stands until `retry`, or until a newer version."""
        version, since = self._rolled_back.get(graph.id, (None, now))
        if version is not None and Version(upgrade.to_version) <= Version(version):
            retried = any(
                said.command["command"] == "retry" and said.given > since and said.covered(graph)
                for said in self._said.values()
            )
            must(retried, now, f"{what}: which another operator rolled back at {since:%m-%d %H:%M}")

    def _left_alone(self, what: str, policy: Policy, rule: Rule, upgrade: Upgrade, process: Process, now: datetime) -> None:
        """What failed, as was told before the run's last write, keeps its version from its graph and from the rules after."""
        failed = [
            (one, self._rule_of(policy, one))
            for one, _ in self.started.values()
            if one.to_version == upgrade.to_version and not self._pardoned(one)
            if self._failure_told(one, before=self._seen[process].written or process.began)
        ]
        again = [one for one, _ in failed if one.graph_id == upgrade.graph_id and (one.force or not upgrade.force)]
        must(not again, now, f"{what}: which went wrong before")
        for before in policy.all_before(rule):
            count = sum(other is before for _, other in failed)
            must(count < before.max_failures, now, f"{what}: which failed {count} times under {before.name}")

    def _failure_told(self, upgrade: Upgrade, before: datetime) -> bool:
        return any(self._told_at.get((upgrade.job_id, outcome), before) < before for outcome in FAILED)

    def _pardoned(self, upgrade: Upgrade) -> bool:
        """Whether a person said afterwards that it no longer counts."""
        graph = self.lives[upgrade.graph_id].graph
        return any(
            said.command["command"] == "retry" and said.given > upgrade.at and said.covered(graph)
            for said in self._said.values()
        )

    def _after_others(self, what: str, policy: Policy, rule: Rule, upgrade: Upgrade, process: Process, now: datetime) -> None:
        target = Version(upgrade.to_version)
        for before in policy.before(rule):
            for life in self.lives.values():
                if life.deleted or policy.rule_of(life.graph.name) is not before or life.created > process.began - SLACK:
                    continue
                reached = self._reached(life, target)
                must(reached is not None, now, f"{what}: but {life.graph.name} of {before.name} is at {life.graph.version}")
                assert reached is not None
                must(now - reached >= rule.soak - SLACK, now, f"{what}: {life.graph.name} is there only since {reached}")

    def _reached(self, life: Life, target: Version) -> datetime | None:
        """Since when a graph is at the version or a later one. One that nobody saw below it has been there always."""
        if Version(life.graph.version) < target:
            return None
        ends = [
            upgrade.ended_at
            for upgrade in self.cloud.upgrades
            if upgrade.graph_id == life.graph.id and upgrade.applied and upgrade.fate == "success"
            if Version(upgrade.from_version) < target <= Version(upgrade.to_version)
            if upgrade.job_id in self.started
            or any(life.created < began and ended < upgrade.at for began, ended in self._looks)
        ]
        return min(ends, default=life.created)

    def _agreed(
        self, what: str, policy: Policy, rule: Rule, graph: Graph, upgrade: Upgrade, process: Process, now: datetime
    ) -> None:
        """What people said: withdrawals, pauses and approvals; and the backup."""
        written = self._seen[process].written or process.began
        version = upgrade.to_version
        for said in self._said.values():
            command = said.command
            if command["command"] == "withdraw" and said.held and said.held < written:
                must(command["version"] != version, now, f"{what}: which was withdrawn")
            gone = command.get("rule") is not None and policy.named(command["rule"]) is None  # its pause holds everything
            if command["command"] == "pause" and said.held and said.held < written and (gone or said.covers(rule, graph)):
                lifted = any(
                    other.command["command"] == "resume"
                    and other.given > said.given - SLACK
                    and all(other.command.get(scope) in (None, command.get(scope)) for scope in ("rule", "graph"))
                    for other in self._said.values()
                )
                must(lifted, now, f"{what}: though it was paused")
        for damage in self._damages:
            lifted = any(said.command == {"command": "resume"} and said.given > damage - SLACK for said in self._said.values())
            must(lifted or written < damage, now, f"{what}: though the journal is damaged")
        if rule.notice:
            planned = self._planned.get((graph.id, version))
            must(planned is not None, now, f"{what}: which was not planned")
            assert planned is not None
            must(now - planned >= rule.notice - SLACK, now, f"{what}: planned only {now - planned} before")
        if rule.mode == "approve":
            approvals = [
                said
                for said in self._said.values()
                if said.command["command"] == "approve" and said.command["version"] == version
                if said.covers(rule, graph) and now - said.given < APPROVAL_LIFETIME + SLACK
            ]
            must(bool(approvals), now, f"{what}: which nobody approved")
        if rule.backup:
            fresh = [
                backup
                for backup in graph.backups
                if backup.status(now) == "success" and now - backup.end < BACKUP_MAX_AGE + SLACK
            ]
            must(bool(fresh), now, f"{what}: without a backup")

    def _runs(self, upgrade: Upgrade, now: datetime) -> bool:
        life = self.lives[upgrade.graph_id]
        return now < upgrade.ended_at and life.deleted is None and life.graph.upgrade is upgrade

    def _left_no_trace(self, upgrade: Upgrade) -> bool:
        """GES shows nothing of the job, and the run that began it died before it wrote it down: as if it had never been."""
        return upgrade.fate == "vanish" and upgrade.job_id not in self._jobs_written

    # What is told

    def told(self, message: Message) -> None:
        result = json.loads((message.structure or {})["default"])
        if result["schema"] != "ges.upgrade.result/1":
            self._notices[result["event_id"]] += 1
            for graph_id in result["graph_ids"] if result["kind"] == "planned" else ():
                self._planned.setdefault((graph_id, result["version"]), message.at)
            return
        now, outcome = message.at, result["outcome"]
        what = f"told that {result['graph']} {outcome} at {result['to_version']} (job {result['job_id']})"
        job = result["job_id"] or result["event_id"].split(":")[0]
        self.results += 1
        event = self._events.get((job, outcome))
        if event is not None:
            self.repeats += 1
            must(event == result["event_id"], now, f"{what} again, as another event")
        else:
            must(result["event_id"] not in self._events.values(), now, f"{what}, as an event that was another result")
        self._events[job, outcome] = result["event_id"]
        attempt = (result["graph_id"], result["began_at"], outcome)
        first = self._attempts_told.setdefault(attempt, result["event_id"])
        must(first == result["event_id"], now, f"{what}, and as another event before")
        self._told_at.setdefault((job, outcome), now)
        self.outcomes[job].add(outcome)
        upgrade = next((one for one in self.cloud.upgrades if one.job_id == result["job_id"]), None)
        if result["job_id"] is None:
            there = self.lives[result["graph_id"]].graph.version
            must(
                outcome != "succeeded" or Version(there) >= Version(result["to_version"]), now, f"{what}, but it is at {there}"
            )
            return
        must(upgrade is not None, now, f"{what}, of a job that is not there")
        assert upgrade is not None
        self._is_true(what, result, upgrade, now)

    def _is_true(self, what: str, result: dict[str, Any], upgrade: Upgrade, now: datetime) -> None:
        life, outcome = self.lives[upgrade.graph_id], result["outcome"]
        must(result["graph_id"] == upgrade.graph_id, now, f"{what}, of another graph")
        if upgrade.job_id in self.started:
            must(result["to_version"] in (upgrade.to_version, None), now, f"{what}, but it went to {upgrade.to_version}")
            must(result["to_version"] is not None or outcome != "succeeded", now, f"{what}, but not to what")
            must(result["from_version"] == upgrade.from_version, now, f"{what}, but it came from {upgrade.from_version}")
        if outcome == "succeeded":
            arrived = Version(life.graph.version) >= Version(result["to_version"])
            must(arrived and now >= upgrade.ended_at, now, f"{what}, but it is at {life.graph.version}")
        elif outcome == "timed-out":
            _, rule = self.started.get(upgrade.job_id, (upgrade, None))
            least = rule.job_timeout if rule else timedelta()
            must(now - upgrade.at >= least - CALLS_TAKE - SLACK, now, f"{what}, after {now - upgrade.at}")
        else:
            must(outcome in FAILED, now, f"{what}: an unknown outcome")
            well = upgrade.fate == "success" and now >= upgrade.ended_at and not life.deleted
            meddled = life.graph.upgrade is not upgrade
            must(not well or meddled, now, f"{what}, but it succeeded")

    # What must be in the end

    def everybody_is_at(self, version: str) -> bool:
        governed = (life for life in self.lives.values() if not life.deleted and self.policy.rule_of(life.graph.name))
        return all(life.graph.version == version for life in governed)

    def in_time(self, version: str, now: datetime) -> None:
        """Everybody arrives within the policy's own bound, and everything is told by the next run that can."""
        assert self._well is not None
        for life in self.lives.values():
            rule = self.policy.rule_of(life.graph.name)
            if life.deleted is None and rule is not None:
                late = now > self._well.arrival[rule.name] and life.graph.version != version
                must(not late, now, f"{life.graph.name} is at {life.graph.version}, and was due at {version} long ago")
        for job, (upgrade, _) in self.started.items():
            rollback = upgrade.duration / 4 if upgrade.fate in ("failed", "partially-failed") else timedelta()
            due = max(upgrade.ended_at + rollback, self._well.begins) + self._well.telling
            told = self.outcomes[job] - {"timed-out"} or self._left_no_trace(upgrade)
            must(bool(told) or now < due, now, f"what became of job {job} was to be told by {due}")

    def at_the_end(self, version: str, now: datetime) -> None:
        for life in self.lives.values():
            if life.deleted is None and self.policy.rule_of(life.graph.name):
                must(life.graph.version == version, now, f"{life.graph.name} is at {life.graph.version}, not at {version}")

    def each_once(self, now: datetime) -> None:
        """Where nothing is killed or lost, no message is sent twice."""
        again = self.repeats + sum(count - 1 for count in self._notices.values())
        must(not self.exact or not again, now, f"{again} messages were sent twice, though nothing was killed or lost")


def must(holds: bool, now: datetime, otherwise: str) -> None:
    if not holds:
        raise Violation(f"{now:%Y-%m-%d %H:%M:%S}: {otherwise}")
