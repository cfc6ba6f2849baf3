"""The functions of all projects, and what they need of other services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from ..clock import Clock
from ..iam.models import FUNCTIONGRAPH
from ..iam.state import State as Iam
from ..obs.models import Bucket
from ..smn.models import State as Smn
from .errors import refusal
from .models import Function, Trigger

MAX_TRIGGERS = 10


class State:
    """`accept` takes an asynchronous invocation, and `run` the synchronous ones: by URN and event.

    `run` gives the result and the log.
    """

    def __init__(
        self,
        clock: Clock,
        iam: Iam,
        smn: Smn,
        buckets: Mapping[str, Bucket],
        accept: Callable[[str, Any], None],
        run: Callable[[str, Any], tuple[Any, str]],
        region_of: Callable[[str], str],
    ) -> None:
        self.clock, self.iam, self.smn, self.buckets, self.region_of = clock, iam, smn, buckets, region_of
        self.accept, self.run = accept, run
        self.deliver: Callable[[], None] = lambda: None  # what was accepted, if no request does
        self.functions: dict[str, Function] = {}  # by the URN without a version

    def find(self, project_id: str, urn: str) -> Function:
        """By its URN with or without a version, or by its name alone. Raises Refusal."""
        function = self.by_urn(urn)
        if function is None and ":" not in urn:
            own = (one for one in self.functions.values() if one.project_id == project_id)
            function = next((one for one in own if one.name == urn), None)
        if function is None or function.project_id != project_id:
            raise refusal("FSS.1051")
        return function

    def by_urn(self, urn: str) -> Function | None:
        return self.functions.get(":".join(unquote(urn).split(":")[:7]))

    def check_agency(self, settings: Mapping[str, Any]) -> None:
        """Raises Refusal if an agency is named that does not exist. One that trusts others only gives no credentials."""
        for name in filter(None, (settings.get("xrole"), settings.get("app_xrole"))):
            if self.iam.agency(str(name)) is None:
                raise refusal("FSS.1122", f"The agency {name} does not exist.")

    def trusted_agency(self, name: str) -> str | None:
        """The id of the agency if FunctionGraph may assume it."""
        agency = self.iam.agency(name) if name else None
        return agency.id if agency is not None and agency.trusts == FUNCTIONGRAPH else None

    def drop_trigger(self, function: Function, trigger: Trigger) -> None:
        """Removes a trigger, and the subscription that a trigger of SMN made."""
        function.triggers.remove(trigger)
        topic = self.smn.topic(trigger.topic_urn)
        if topic is not None:
            topic.subscriptions = [one for one in topic.subscriptions if one.endpoint != f"{function.urn}:latest"]
