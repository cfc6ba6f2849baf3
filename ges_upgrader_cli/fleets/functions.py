"""The function, in this process: it answers about a fleet of a file on the simulated cloud, or about the live one.

It is the same code that FunctionGraph runs, from the event to the result; only the clock and the cloud are chosen here.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ges_upgrader.clock import Clock, SystemClock
from ges_upgrader.cloud.platform import Platform
from ges_upgrader.domain.fleet import Fleet
from ges_upgrader.events.commands import Command, Word
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord
from ges_upgrader.journal.segments import Journal
from ges_upgrader.journal.storage import JournalError, Memory
from ges_upgrader.log import start_log
from ges_upgrader.policy.parsing import parse_policy
from ges_upgrader.policy.schema import Policy, fingerprint
from ges_upgrader.redaction import Secrets
from ges_upgrader.running.context import ContextError, RunContext, wire
from ges_upgrader.running.invocation import Instance
from ges_upgrader.running.observe import Observer
from ges_upgrader.running.results.report import RunReport
from ges_upgrader_cli.checking.effective import as_yaml, effective
from ges_upgrader_cli.fleets.files import FleetFile, as_entry, listed

_TIME = timedelta(minutes=14)  # of one run; a timer's function has no more than 15 minutes
_OWN_STATE = "obs://ges-upgrader-fleet/journal"  # for a policy without a journal that the simulated cloud can hold
_CREDENTIALS = {"ak": "AK", "sk": "SK", "security_token": "SECURITY_TOKEN", "project_id": "PROJECT_ID"}


class FunctionError(Exception):
    """The function cannot be asked; the message says what is missing."""


class Function:
    """`policy` is the one that was given; `_text` may name another state."""

    def __init__(self, text: str, clock: Clock, variables: dict[str, str]) -> None:
        """Raises PolicyError."""
        self.policy = parse_policy(text)
        self.clock = clock
        self._text = text
        self._variables = variables
        self._instance = Instance(Path(__file__).parent, clock)

    def ask(self, event: Any) -> dict[str, Any]:
        """The result of one invocation."""
        with self._reached():
            result = self._instance.invoke(event, self._context())
        return {**result, "policy": result["policy"] and fingerprint(self.policy)}

    def history(self) -> History:
        """What the journal holds. Raises FunctionError."""
        return self._journal().history

    def export(self) -> FleetFile:
        """The graphs as GES lists them now, and the journal. Raises FunctionError if they cannot be read as a whole."""
        wired = self._wired()
        report = RunReport(Command(Word.PLAN), self.clock.now(), wired.log)
        with self._reached():
            fleet = Observer(wired, report).observe(Fleet())
        for error in report.errors:
            raise FunctionError(error)
        graphs = sorted(fleet.visible, key=lambda graph: (graph.project, graph.name, graph.id))
        return FleetFile(tuple(map(listed, graphs)), journal=tuple(map(as_entry, wired.journal.records)))

    def _journal(self) -> Journal:
        return self._wired().journal

    def _wired(self) -> RunContext:
        """The context of a run, its journal read."""
        platform, log = Platform(self._context()), start_log("CRITICAL", Secrets.of(()), {})
        try:
            with self._reached():
                wired = wire(parse_policy(self._text), Command(Word.PLAN), platform, self.clock, Memory(), log, "")
                wired.journal.refresh()
        except (ContextError, JournalError) as error:
            raise FunctionError(str(error)) from None
        return wired

    def _reached(self) -> AbstractContextManager[Any]:
        """Within it, calls reach the right cloud."""
        return nullcontext()

    def _context(self) -> object:
        end = self.clock.now() + _TIME
        return _Context({**self._variables, "POLICY": self._text, "LOG_LEVEL": "CRITICAL"}, lambda: end - self.clock.now())


class SimulatedFunction(Function):
    """On a cloud that holds what the policy names, from `now` on. A fleet is added to it, with its journal."""

    def __init__(self, text: str, now: datetime, fleet: FleetFile | None = None) -> None:
        from ges_upgrader_cli.fleets.simulated import furnish, home_of, populate
        from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, VirtualClock

        policy = parse_policy(text)
        home = home_of(policy)
        self.virtual_clock = VirtualClock(now)
        self.cloud = Cloud(self.virtual_clock)
        variables = {
            "REGION": home.region,
            "HUAWEICLOUD_SDK_AK": ACCESS_KEY,
            "HUAWEICLOUD_SDK_SK": SECRET_KEY,
            "HUAWEICLOUD_SDK_PROJECT_ID": home.project_id,
        }
        super().__init__(text, self.virtual_clock, variables)
        if policy.state.bucket is None:
            self._text = with_state(policy, _OWN_STATE)
        furnish(self.cloud, parse_policy(self._text))
        if fleet is not None:
            populate(self.cloud, fleet, home)
            self.record(fleet.records)

    def record(self, records: list[AnyRecord]) -> None:
        """Adds to the journal."""
        if records:
            journal = self._journal()
            with self._reached():
                journal.write(*records)

    def _reached(self) -> AbstractContextManager[Any]:
        from huaweicloud_simulator import mock_huaweicloud

        return mock_huaweicloud(self.cloud)


class LiveFunction(Function):
    """With the credentials of this machine: the SDK's variables, or the file ~/.huaweicloud/credentials."""

    def __init__(self, text: str) -> None:
        super().__init__(text, SystemClock(), credentials())

    def ask(self, event: Any) -> dict[str, Any]:
        if not any(self._variables.get(f"HUAWEICLOUD_SDK_{name}") for name in ("AK",)):
            variables = "HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK"
            raise FunctionError(f"no credentials: set {variables}, or give a fleet with --fleet FILE or --simulator")
        return super().ask(event)


def with_state(policy: Policy, state: str) -> str:
    """The effective policy with another state."""
    return as_yaml({**effective(policy), "state": state})


def credentials() -> dict[str, str]:
    """The SDK's variables, and for those that are not set, its file of credentials."""
    file = Path(os.environ.get("HUAWEICLOUD_SDK_CREDENTIALS_FILE") or Path.home() / ".huaweicloud" / "credentials")
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        parser = configparser.ConfigParser()
    basic = parser["basic"] if parser.has_section("basic") else {}
    found = {f"HUAWEICLOUD_SDK_{name}": basic[key] for key, name in _CREDENTIALS.items() if basic.get(key)}
    return {**found, **{name: value for name, value in os.environ.items() if name.startswith("HUAWEICLOUD_SDK_")}}


class _Context:
    """What the function sees of the platform."""

    def __init__(self, variables: dict[str, str], remaining: Callable[[], timedelta]) -> None:
        self._variables, self._remaining = variables, remaining

    def getUserData(self, name: str) -> str | None:
        return self._variables.get(name)

    def getRemainingTimeInMilliSeconds(self) -> float:
        return self._remaining() / timedelta(milliseconds=1)
