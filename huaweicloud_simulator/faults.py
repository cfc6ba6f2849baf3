"""What can go wrong between a client and the cloud. Each fault says whether the service acts before it strikes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Generic, TypeVar

from .wire import InternalError, NoAnswer, Refusal, Request, Response

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fault:
    """`acts`: the service acts, and the client does not get its answer. `strike` gives another answer, or raises."""

    name: str
    acts: bool
    strike: Callable[[], Response]


def throttle(retry_after: int | None = None) -> Fault:
    """429 of the gateway (ges.md 5.3), with Retry-After if one is given."""

    text = "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 minute"

    def strike() -> Response:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        raise Refusal(429, "APIGW.0308", text, **headers)

    return Fault("throttle", False, strike)


def error(status: int, code: str, message: str) -> Fault:
    """A service's error in the envelope of the API in use."""

    def strike() -> Response:
        raise Refusal(status, code, message)

    return Fault("error", False, strike)


def server_error(status: int = 500, code: str | None = None, message: str | None = None) -> Fault:
    """An internal error. Its code is that of the service in use, unless one is given."""
    if code is not None:
        return Fault("server_error", False, error(status, code, message or "Internal error.").strike)

    def strike() -> Response:
        raise InternalError(status)

    return Fault("server_error", False, strike)


def html(status: int = 503) -> Fault:
    page = b"<html><head><title>Service Unavailable</title></head><body><h1>Service Unavailable</h1></body></html>"
    return Fault("html", False, lambda: Response(status, page, {"Content-Type": "text/html"}))


def gateway_timeout() -> Fault:
    """The service acts, but too late for the gateway (ges.md 5.3)."""

    def strike() -> Response:
        raise Refusal(504, "APIGW.0201", "Backend timeout")

    return Fault("gateway_timeout", True, strike)


def malformed() -> Fault:
    """The service acts; its answer is broken JSON."""
    return Fault("malformed", True, lambda: Response(200, b'{"job_id": "f99f', {"Content-Type": "application/json"}))


def soft_error(code: str, message: str) -> Fault:
    """v1.0: HTTP 200 with errorCode and errorMessage (ges.md 5.1)."""
    return Fault("soft_error", False, lambda: Response.of(200, {"errorCode": code, "errorMessage": message}))


def redirect() -> Fault:
    return Fault("redirect", False, lambda: Response(302, b"", {"Location": "https://console.huaweicloud.com/"}))


def lost_answer() -> Fault:
    """The service acts, and the connection is reset."""
    return _no_answer("reset", acts=True)


def drop_connection() -> Fault:
    """The connection is reset before the service acts."""
    return _no_answer("reset", acts=False)


def read_timeout(acts: bool = True) -> Fault:
    return _no_answer("timeout", acts=acts)


def refuse_connection() -> Fault:
    return _no_answer("refuse", acts=False)


def _no_answer(how: str, acts: bool) -> Fault:
    def strike() -> Response:
        raise NoAnswer(how)

    return Fault(how, acts, strike)


def later_page(request: Request) -> bool:
    """For `where`: the request asks for a page of a list after the first."""
    return request.query.get("offset", "0") != "0"


@dataclass(slots=True)
class Switch(Generic[T]):
    """Something that happens at some requests: `times` of them (None: all), after `after` have passed."""

    operation: str  # a glob
    what: T
    times: int | None
    after: int
    where: Callable[[Request], bool] | None

    def takes(self, request: Request) -> bool:
        if self.times == 0 or not self._fits(request):
            return False
        if self.after:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def _fits(self, request: Request) -> bool:
        return fnmatchcase(request.operation, self.operation) and (self.where is None or self.where(request))
