"""FunctionGraph: asynchronous invocation (functiongraph.md, Delivery)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ges_upgrader.cloud.answers import text_of
from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.cloud.transport import ONLY_THROTTLED, Call, Transport

_LOST = (None, 200, 202, 408, 504)  # no answer, or one with such a status, does not say what became of the call


class FunctionGraph:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def invoke_async(
        self, region: str, project_id: str, function_urn: str, event: Mapping[str, Any], before: datetime | None = None
    ) -> str:
        """Invokes a function with an event; the invocation's request id. Raises CloudError.

        The call is repeated only if it was throttled or never sent, and not from `before` on. A lost answer counts as
        accepted, with the request id "": a second call could make two invocations of one, and the next timer takes up
        whatever is lost.
        """
        call = Call(
            service="functiongraph",
            operation="invoke_async",
            region=region,
            project_id=project_id,
            method="POST",
            path=("v2", project_id, "fgs", "functions", function_urn, "invocations-async"),
            body=event,
            repeat=ONLY_THROTTLED,
            before=before,
        )
        try:
            answer = self._transport.call(call)
        except CloudError as error:
            if error.may_have_acted and error.status in _LOST:
                return ""
            raise
        return text_of(answer, "request_id") or ""
