"""What can fail between the function and the cloud, named after what a caller can do about it."""

from __future__ import annotations

from ges_upgrader.domain.plain_text import MOST_REASON, plain

MOST_CODE = 64  # characters, of a request id too


class CloudError(Exception):
    """A service refused a call, or its answer is of no use. Its texts are plain; whoever raises it has masked secrets in them.

    `status` is the HTTP status, None if there was no usable answer.
    `may_have_acted`: the call may have taken effect although it failed, so a caller must look before it calls again.
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
        unanswered = "no answer" if self.may_have_acted else "not sent"
        status = f"HTTP {self.status}" if self.status else unanswered
        request = f", request {self.request_id}" if self.request_id else ""
        return f"{self.service} {self.operation} in {self.region}: {self.code} ({status}{request}): {self.message}"

    @property
    def passing(self) -> bool:
        """Whether it may be over in minutes: the service is busy, or does not answer."""
        return self.status is not None and (self.status >= 500 or self.status in (408, 429))


class Unreachable(CloudError):
    """No usable answer came, and none will in the time that is left.

    `may_have_acted` is false only if no part of the request was sent.
    """

    @property
    def passing(self) -> bool:
        return True


class Forbidden(CloudError):
    """The caller has no right to do this; OBS also says so of a missing object to a caller that may not list the bucket."""
