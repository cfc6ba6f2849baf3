"""The deployed function, invoked through FunctionGraph (deploy.md 1)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ges_upgrader.clock import SystemClock
from ges_upgrader.cloud.credentials import Credentials
from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.cloud.functiongraph import FunctionGraph
from ges_upgrader.cloud.transport import ONLY_THROTTLED, Call, Transport
from ges_upgrader_cli.fleets.functions import FunctionError, credentials

_URN = re.compile(r"urn:fss:([a-z0-9-]+):([A-Za-z0-9]{1,64}):function:[^:]+:[^:]+(?::[^:]+)?")
_TIME = timedelta(seconds=90)  # a synchronous caller loses the answer after that
_WAY_OUT = "set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK"


class DeployedFunction:
    """By its URN, with the credentials of this machine."""

    def __init__(self, urn: str) -> None:
        """Raises FunctionError."""
        match = _URN.fullmatch(urn)
        if match is None:
            example = "urn:fss:cn-north-4:<project_id>:function:default:ges-upgrader:latest"
            raise FunctionError(f"{urn!r} is no URN of a function; expected one as {example}")
        self._urn, (self._region, self._project_id) = urn, match.groups()
        self._variables, clock = credentials(), SystemClock()
        keys = Credentials(self._variable("AK"), self._variable("SK"), self._variable("SECURITY_TOKEN"))
        if not keys.ak or not keys.sk:
            raise FunctionError(f"no credentials: {_WAY_OUT}")
        end: datetime = clock.now() + _TIME
        self._transport = Transport(keys, self._endpoint, clock, lambda: end - clock.now())

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The function's result. Raises FunctionError."""
        call = Call(
            service="functiongraph",
            operation="invoke",
            region=self._region,
            project_id=self._project_id,
            method="POST",
            path=("v2", self._project_id, "fgs", "functions", self._urn, "invocations"),
            body=event,
            repeat=ONLY_THROTTLED,
            headers={"X-CFF-Request-Version": "v1"},
        )
        try:
            answer = self._transport.call(call)
            result = json.loads(answer["result"]) if isinstance(answer.get("result"), str) else answer.get("result")
        except (CloudError, ValueError) as error:
            raise FunctionError(str(error)) from None
        if not isinstance(result, dict) or result.get("schema") != "ges.upgrade.run/1":
            raise FunctionError(f"{self._urn} answered with something else than a run's result; is it the upgrader?")
        return result

    def reconcile(self) -> str:
        """Invokes it asynchronously, to act on what was recorded; the request's id. Raises FunctionError."""
        try:
            event = {"command": "reconcile"}
            return FunctionGraph(self._transport).invoke_async(self._region, self._project_id, self._urn, event)
        except CloudError as error:
            raise FunctionError(f"recorded, but not carried out: {error}; the next timer does") from None

    def _endpoint(self, service: str, region: str) -> str:
        name = f"REGION_{service}_{region}".upper().replace("-", "_")
        return self._variable(name) or f"https://{service}.{region}.myhuaweicloud.com"

    def _variable(self, name: str) -> str:
        return self._variables.get(f"HUAWEICLOUD_SDK_{name}", "")
