"""FunctionGraph: asynchronous invocation (functiongraph.md, Delivery)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.cloud.transport import ONLY_THROTTLED, Call, Transport

_LOST = (200, 202, 408, 504)  # with an answer that says nothing of what became of the call


class FunctionGraph:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def invoke_async(
        self, region: str, project_id: str, function_urn: str, event: Mapping[str, Any], before: datetime | None = None
    ) -> str:
        """Has a function invoked with an event; the invocation's request id. Raises CloudError.

        It is called again only where it was throttled or never sent, and not from `before` on. A lost answer counts as
        accepted, with the request id "": a second call could make two of one invocation, and what gets lost the next
        timer takes up anyhow.
        """
        call = Call(
            service="functiongraph",
            operation="invoke_async",
            region=region,
            project_id=project_id,
            method="POST",
            path=f"/v2/{project_id}/fgs/functions/{quote(function_urn, safe='')}/invocations-async",
            body=event,
            repeat=ONLY_THROTTLED,
            before=before,
        )
        try:
            answer = self._transport.call(call)
        except CloudError as error:
            if error.may_have_acted and (error.status is None or error.status in _LOST):
                return ""
            raise
        return str(answer.get("request_id") or "")
