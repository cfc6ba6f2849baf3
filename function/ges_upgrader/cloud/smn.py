"""SMN: publishing (smn-obs-core.md A)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ges_upgrader.cloud.answers import accepted
from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.cloud.transport import UNLESS_ACCEPTED, Call, Transport

_PASSING = frozenset({"SMN.0016", "SMN.0018", "SMN.0019"})  # A4
_MALFORMED = frozenset({"SMN.0008", "SMN.0009", "SMN.0021"})


class Smn:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def publish(self, region: str, project_id: str, topic_urn: str, subject: str, texts: Mapping[str, str]) -> str:
        """Publishes one message with a text for each channel, `default` among them; its message id. Raises CloudError.

        An answer without a message id does not say that SMN stored the message (A), so it raises, too.

        It has no attributes: SMN does not deliver a message with attributes to subscriptions without a filter (A3). A
        message that SMN finds malformed is sent again, as plain ASCII (A4).
        """
        structure = json.dumps(dict(texts), ensure_ascii=False)
        try:
            return self._publish(region, project_id, topic_urn, {"subject": subject, "message_structure": structure})
        except CloudError as error:
            if error.code not in _MALFORMED:
                raise
        plain = {"subject": subject.encode("ascii", "replace").decode(), "message": texts["default"]}
        return self._publish(region, project_id, topic_urn, plain)

    def _publish(self, region: str, project_id: str, topic_urn: str, body: Mapping[str, str]) -> str:
        answer = self._transport.call(
            Call(
                service="smn",
                operation="publish",
                region=region,
                project_id=project_id,
                method="POST",
                path=("v2", project_id, "notifications", "topics", topic_urn, "publish"),
                body=body,
                repeat=UNLESS_ACCEPTED,
                repeat_codes=_PASSING,
            )
        )
        return accepted(answer, "smn", "publish", region, "message_id")
