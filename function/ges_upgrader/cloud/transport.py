"""The one way to the cloud: signed, with time limits, retrying what may be repeated, never past the run's time.

It knows the traps of smn-obs-core.md B3: a redirect is no success, an unreadable answer is told from a refusal, and an
exception does not mean that nothing was done.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from ges_upgrader.clock import Clock
from ges_upgrader.cloud.credentials import Credentials, Signature
from ges_upgrader.cloud.errors import CloudError, Unreachable

CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 20.0
TRIES = 5
LEAST_TIME = timedelta(milliseconds=100)  # with less left nothing is called any more

# Answers after which a call may simply be repeated. A POST that acts is repeated only after answers that say it did not act.
ALWAYS = frozenset({408, 429, *range(500, 600)})
UNLESS_ACCEPTED = frozenset({429, 500, 502, 503})
ONLY_THROTTLED = frozenset({429})

_MAY_HAVE_ACTED = frozenset({408, *range(500, 600)})
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 20.0


class Call(msgspec.Struct, frozen=True):
    """One call of a service. `path` is percent-encoded; `repeat` holds the statuses after which it may be repeated,
    `repeat_codes` the services' own codes.

    `before`: an instant from which on the call must not be made, nor repeated. `tries` bounds how often an answer may be
    asked for; silence is met at most TRIES times. `address`: where to call, scheme and host, instead of the service's.
    """

    service: str
    operation: str
    region: str
    project_id: str
    method: str
    path: str
    query: Mapping[str, str] = {}
    body: Mapping[str, Any] | None = None
    repeat: frozenset[int] = ALWAYS
    repeat_codes: tuple[str, ...] = ()
    before: datetime | None = None
    tries: int = TRIES
    address: str | None = None
    headers: Mapping[str, str] = {}


class Transport:
    """Makes calls. `remaining` is the time that the run has left; `endpoint` gives the address of a service in a region."""

    def __init__(
        self,
        credentials: Credentials,
        endpoint: Callable[[str, str], str],
        clock: Clock,
        remaining: Callable[[], timedelta],
    ) -> None:
        self._session = requests.Session()
        self._auth = Signature(credentials, clock.now)
        self._credentials = credentials
        self._endpoint = endpoint
        self._clock = clock
        self._remaining = remaining

    def call(self, call: Call) -> dict[str, Any]:
        """The answer's JSON object. Raises CloudError, Unreachable where no answer came."""
        silences = 0
        for attempt in count(1):
            try:
                return self._once(call)
            except _Again as again:
                pause = again.after if again.after is not None else backoff(attempt)
                late = call.before is not None and self._clock.now() + timedelta(seconds=pause) >= call.before
                silences += again.error.status is None
                if call.tries == attempt or silences == TRIES or late or timedelta(seconds=pause) >= self._remaining():
                    raise again.error from None
            self._clock.sleep(pause)
        raise AssertionError("unreachable")

    def _once(self, call: Call) -> dict[str, Any]:
        left = self._remaining()
        if left < LEAST_TIME:
            raise Unreachable(call.service, call.operation, call.region, None, "out-of-time", "the run has no time left")
        query = f"?{urlencode(call.query, quote_via=quote)}" if call.query else ""
        try:
            response = self._session.request(
                call.method,
                (call.address or self._endpoint(call.service, call.region)).rstrip("/") + call.path + query,
                headers={
                    "Content-Type": "application/json;charset=UTF-8",
                    "X-Project-Id": call.project_id,
                    "User-Agent": "ges-upgrader",
                    **call.headers,
                },
                data=json.dumps(call.body).encode() if call.body is not None else None,
                auth=self._auth,
                timeout=time_limits(left),
                allow_redirects=False,
            )
        except requests.RequestException as failure:
            sent = not never_sent(failure)
            error: CloudError = Unreachable(
                call.service,
                call.operation,
                call.region,
                None,
                "unreachable" if not sent else "no-answer",
                self._credentials.mask(f"{type(failure).__name__}: {failure}", getattr(failure.request, "headers", None)),
                may_have_acted=sent,
            )
            if call.method == "GET" or not sent:
                raise _Again(error, None) from None
            raise error from None
        return self._read(call, response)

    def _read(self, call: Call, response: requests.Response) -> dict[str, Any]:
        content = _json(self._clean(response.content.decode("utf-8", "replace"), response))
        if 200 <= response.status_code < 300 and isinstance(content, dict):
            return content
        readable = _complaint(content)
        request_id = str(readable.get("request_id") or response.headers.get("X-Request-Id") or "")
        code, message = _code(readable), _message(readable)
        if response.status_code < 300:
            code, message = "unreadable", "the answer is no JSON object"
        error = CloudError(
            call.service,
            call.operation,
            call.region,
            response.status_code,
            self._clean(code or f"HTTP-{response.status_code}", response),
            self._clean(message or _plain(self._clean(response.text, response)), response),
            self._clean(request_id, response),
            may_have_acted=response.status_code < 400 or response.status_code in _MAY_HAVE_ACTED,
        )
        passing = response.status_code in call.repeat or error.code in call.repeat_codes
        if passing or (response.status_code < 300 and call.method == "GET"):
            raise _Again(error, _retry_after(response))
        raise error

    def _clean(self, text: str, response: requests.Response) -> str:
        return self._credentials.mask(text, response.request.headers)


class _Again(Exception):
    def __init__(self, error: CloudError, after: float | None) -> None:
        super().__init__(error)
        self.error = error
        self.after = after


def time_limits(left: timedelta) -> tuple[float, float]:
    """Seconds for connecting and for the answer: never all that is left, so that the run can still say what happened."""
    seconds = left.total_seconds()
    return min(CONNECT_TIMEOUT, seconds / 4), min(READ_TIMEOUT, seconds / 2)


def backoff(attempt: int) -> float:
    """Full jitter over a doubling pause, never nothing."""
    longest = min(_FIRST_PAUSE * 2.0**attempt, _LONGEST_PAUSE)
    return random.uniform(longest / 4, longest)


def never_sent(failure: requests.RequestException) -> bool:
    """Whether the connection was never made, so that the service cannot have seen the call."""
    if isinstance(failure, (requests.exceptions.ConnectTimeout, requests.exceptions.InvalidURL)):
        return True
    reason = getattr(failure.args[0] if failure.args else None, "reason", None)
    return isinstance(reason, (NewConnectionError, ConnectTimeoutError))


def _retry_after(response: requests.Response) -> float | None:
    """Retry-After in seconds; dates are not used by the gateway (ges.md 1)."""
    value = response.headers.get("Retry-After", "")
    return min(float(value), 3600.0) if re.fullmatch(r"\d{1,9}", value) else None


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text) if text.strip() else {}
    except (ValueError, RecursionError):
        return None


def _complaint(content: Any) -> Mapping[str, Any]:
    """The part of an answer that names code and message: of Cypher's, the first of its errors (ges.md 5.1)."""
    found = content if isinstance(content, dict) else {}
    errors = found.get("errors")
    return errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else found


def _code(content: Mapping[str, Any]) -> str:
    """Whatever a layer calls it (ges.md 5.1)."""
    return next((str(content[key]) for key in ("error_code", "errorCode", "errCode", "code") if content.get(key)), "")


def _message(content: Mapping[str, Any]) -> str:
    keys = ("error_msg", "errorMessage", "errorMsg", "externalMessage", "message")
    return next((str(content[key]) for key in keys if content.get(key)), "")


def _plain(text: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", text[:2000]).split())[:200] or "no text"
