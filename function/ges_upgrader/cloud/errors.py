"""What can go wrong between the function and the cloud, named after what can be done about it."""

from __future__ import annotations

from ges_upgrader.domain.plain_text import MOST_REASON, plain

MOST_CODE = 64  # characters, of a request id too


class CloudError(Exception):
    """A service refused a call or answered nonsense. Its texts are plain; whoever raises it has masked secrets in them.

    `may_have_acted`: the call could have taken effect although it failed, so look before it is made again.
    """

    def __init__(
        self,
        service: str,
        operation: str,
        region: str,
        status: int | None,
        code: str,
        message: str,
        request_id: str = "",
        may_have_acted: bool = False,
    ) -> None:
        self.service = service
        self.operation = operation
        self.region = region
        self.status = status
        self.code = plain(code, MOST_CODE)
        self.message = plain(message, MOST_REASON)
        self.request_id = plain(request_id, MOST_CODE)
        self.may_have_acted = may_have_acted
        super().__init__(service, operation, region, status, self.code, self.message)

    def __str__(self) -> str:
        status = f"HTTP {self.status}" if self.status else "no answer"
        request = f", request {self.request_id}" if self.request_id else ""
        return f"{self.service} {self.operation} in {self.region}: {self.code} ({status}{request}): {self.message}"


class Unreachable(CloudError):
    """No answer came, and none will in the time that is left."""
