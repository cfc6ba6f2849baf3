"""The checks of the command `doctor`, in order. All of them read, but one that appends to a scratch key beside the journal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec

from ges_upgrader.clock import Clock
from ges_upgrader.cloud.engine import address_of
from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.cloud.ges.client import Ges
from ges_upgrader.cloud.platform import Platform, libraries
from ges_upgrader.cloud.transport import Call, Transport
from ges_upgrader.domain.duration import spelled
from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.domain.model import Graph
from ges_upgrader.domain.timestamps import iso
from ges_upgrader.journal.storage import Conflict, JournalError, Storage
from ges_upgrader.planning.roster import Roster
from ges_upgrader.running.context import RunContext
from ges_upgrader.running.doctor.findings import Finding, failed, not_proved, ok
from ges_upgrader.schedule import zones

SCRATCH, ABSENT = "doctor-scratch", "doctor-absent"  # beside the files of the journal
MOST_SKEW = timedelta(minutes=5)  # services refuse signatures that are 15 minutes off
_ZONE = "Asia/Shanghai"
_AGENCY = "check the function's agency and its policies (docs/deploy.md)"


class Patient(msgspec.Struct, frozen=True):
    """What is examined. `code` is the folder of the handler; `storage` is the journal's."""

    context: RunContext
    platform: Platform
    clock: Clock
    code: Path
    storage: Storage


class Examination:
    def __init__(self, patient: Patient) -> None:
        self._patient, self._context = patient, patient.context
        credentials = patient.platform.credentials()
        assert credentials is not None  # or the context could not have been wired
        self._credentials = credentials.masking(patient.platform.secrets)
        self._transport = Transport(self._credentials, patient.platform.endpoint, patient.clock, self._context.left)
        self._graphs: list[Graph] = []

    def findings(self) -> list[Finding]:
        checks: tuple[Callable[[], Iterator[Finding]], ...] = (
            self._keys,
            self._account,
            self._projects,
            self._journal,
            self._scratch,
            self._listing,
            self._skew,
            self._time_zones,
            self._libraries,
            self._engines,
            self._acts,
        )
        return [finding for check in checks for finding in check()]

    def _keys(self) -> Iterator[Finding]:
        if not self._credentials.ak:
            yield not_proved("credentials", "the function has only a token", "give the agency keys if the journal is in OBS")
        elif self._credentials.security_token:
            yield ok("credentials", "temporary keys of an agency")
        else:
            yield ok("credentials", "permanent keys; an agency has temporary ones, which need no rotation")

    def _account(self) -> Iterator[Finding]:
        region = self._context.home.region
        call = Call("iam", "list_domains", region, "", "GET", ("v3", "auth", "domains"))
        try:
            domains = self._transport.call(call).get("domains")
        except CloudError as error:
            yield not_proved("account", f"the account could not be read: {error}")
            return
        names = [str(one.get("name")) for one in domains if isinstance(one, dict)] if isinstance(domains, list) else []
        yield ok("account", f"{', '.join(names) or 'unknown'}, project {self._context.home.project_id} in {region}")

    def _projects(self) -> Iterator[Finding]:
        """Every project of the policy can be listed as a whole."""
        ges = Ges(self._transport, self._context.policy.api)
        for project in self._context.projects:
            name = f"list graphs of {project.project_id} in {project.region}"
            try:
                listing = ges.list_graphs(project)
            except CloudError as error:
                yield failed(name, str(error), f"{_AGENCY}, `projects` of the policy, and that GES is in the region")
                continue
            self._graphs += listing.graphs
            if listing.problems:
                yield failed(name, "; ".join(listing.problems), "run doctor again; if it stays so, ask Huawei Cloud")
            else:
                yield ok(name, f"{len(listing.graphs)} graphs")

    def _journal(self) -> Iterator[Finding]:
        state, journal = self._context.policy.state.text, self._context.journal
        try:
            journal.refresh()
        except JournalError as error:
            yield failed("journal read", f"{state}: {error}", "check that the bucket or folder exists and may be read")
            return
        damages = len(journal.history.controls.damages)
        if damages:
            yield failed("journal read", f"{state}: {damages} damaged records", "run status, and resume what it names")
        elif not journal.lasting:
            yield not_proved("journal read", f"{state} keeps nothing", "give the policy a state")
        else:
            yield ok("journal read", f"{state}: {'none yet' if journal.new else f'{len(journal.records)} records'}")

    def _scratch(self) -> Iterator[Finding]:
        """An append at the end is taken, and one at another position is not."""
        name, storage = "journal append", self._patient.storage
        try:
            position = len(storage.read(SCRATCH) or b"")
            storage.append(SCRATCH, position, f"{iso(self._patient.clock.now())}\n".encode())
        except Conflict:
            yield not_proved(name, "another doctor appended at the same time", "run doctor again")
            return
        except JournalError as error:
            yield failed(name, str(error), f"{_AGENCY}: obs:object:PutObject on the prefix of the state")
            return
        try:
            storage.append(SCRATCH, position, b"must be refused\n")
        except Conflict:
            yield ok(name, f"{SCRATCH}: an append at the end is taken, and one elsewhere refused")
        except JournalError as error:
            yield failed(name, str(error), _AGENCY)
        else:
            yield failed(name, "an append at a wrong position was taken, so that runs could overwrite each other", "use OBS")

    def _listing(self) -> Iterator[Finding]:
        """Without the right to list, OBS does not say that an object is missing (deploy.md 3)."""
        if self._context.policy.state.bucket is None:
            return
        storage = self._patient.storage
        try:
            storage.read(ABSENT)
        except JournalError as error:
            yield failed("journal list", str(error), _AGENCY)
            return
        if storage.unsure:
            yield failed("journal list", storage.unsure, f"{_AGENCY}: obs:bucket:ListBucket on the bucket")
        else:
            yield ok("journal list", "OBS says that a missing object is missing")

    def _skew(self) -> Iterator[Finding]:
        skew = self._transport.skew
        if skew is None:
            yield not_proved("clock", "no service sent its time (Date)")
            return
        text = f"{spelled(timedelta(seconds=round(abs(skew).total_seconds())))} from the services' clocks"
        if abs(skew) > MOST_SKEW:
            yield failed("clock", text, "services refuse signatures beyond 15m: set the clock of the machine")
        else:
            yield ok("clock", text)

    def _time_zones(self) -> Iterator[Finding]:
        if zones.named(_ZONE) is None:
            yield failed("time zones", f"{_ZONE} is unknown", "deploy the zip as it is built, which brings the zones' data")
        else:
            yield ok("time zones", zones.source())

    def _libraries(self) -> Iterator[Finding]:
        found, foreign = libraries(self._patient.code)
        text = f"Python {sys.version.split()[0]}; " + "; ".join(f"{name} {where}" for name, where in found.items())
        if foreign:
            yield failed("libraries", f"not ours: {', '.join(foreign)}. {text}", "deploy the zip again as it is built")
        else:
            yield ok("libraries", text)

    def _engines(self) -> Iterator[Finding]:
        """The way into the VPC, for one graph of each rule that asks for a health check."""
        roster = Roster(self._context.policy, Fleet.of(self._graphs))
        for rule in self._context.policy.rules:
            if rule.health_check is False:
                continue
            name = f"engine, rule {rule.name}"
            graphs = [one.graph for one in roster.members[rule.name] if one.graph.version and one.graph.status.running]
            graph = next((one for one in graphs if address_of(one)), None)
            if graph is None:
                yield not_proved(name, "no running graph with an address is known", "run doctor again once there is one")
            else:
                yield self._engine(name, graph)

    def _engine(self, name: str, graph: Graph) -> Finding:
        remedy = "give the function the VPC and subnet of the graph, and its agency a token (docs/deploy.md)"
        assert graph.version is not None
        try:
            problem = self._context.engine.health_problem(graph, graph.version)
        except CloudError as error:
            return failed(name, f"{graph.name}: {error}", remedy)
        answered = f"{graph.name}: its engine answered"
        return ok(name, answered) if problem is None else failed(name, f"{answered}: {problem}", "look at the graph")

    def _acts(self) -> Iterator[Finding]:
        """What only an act proves."""
        yield not_proved("upgrade", "ges:graph:operate is proved by the first upgrade only")
        yield not_proved("publish", "a message proves it: smn:topic:publish on the topic of notify")
        if any(rule.backup == "required" for rule in self._context.policy.rules):
            yield not_proved("backup", "ges:backup:create and ges:backup:delete are proved by the first backup only")
        if self._context.policy.follow_up == "invoke":
            yield not_proved("invoke", "functiongraph:function:invokeAsync is proved when a run hands over")
