"""The one way to the cloud: signed, within a time, repeating what may be repeated, never beyond the run's time.

It knows the traps of smn-obs-core.md B3: a redirect is no success, an unreadable answer is no refusal, and an exception
does not mean that nothing was done.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, TypeVar

import msgspec
from requests.auth import AuthBase

from ges_upgrader.clock import Clock
from ges_upgrader.cloud.answers import Refusal, decode_json, hard_error, plain, soft_error
from ges_upgrader.cloud.credentials import Credentials, Signature
from ges_upgrader.cloud.errors import CloudError, Unreachable
from ges_upgrader.cloud.exchange import Answer, Exchange, Unanswered, url_of

CONNECT_TIMEOUT, EXCHANGE_TIMEOUT = 5.0, 20.0  # seconds: the second includes the first, and everything else of one try
TRIES = 5
LEAST_TIME = timedelta(milliseconds=100)  # with less left no call is made

# Answers after which a call may be repeated without a look. A POST that acts is repeated only if it did not act.
ALWAYS = frozenset({408, 429, *range(500, 600)})
UNLESS_ACCEPTED = frozenset({429, 500, 502, 503})
ONLY_THROTTLED = frozenset({429})

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 20.0
_MOST_WORDS = 64 * 1024  # characters of a refusal that are looked at: to mask megabytes takes seconds
_UNREADABLE, _OUT_OF_TIME, _UNUSABLE = "unreadable", "out-of-time", "unusable"

T = TypeVar("T")


class Call(msgspec.Struct, frozen=True):
    """One call of a service. `path` holds segments that are not encoded.

    `repeat` holds the statuses, `repeat_codes` the service's own codes, after which the call may be repeated. From `before`
    on it must be neither made nor repeated; by `until` it has ended, with all repetitions. `tries` limits how often it is
    made in all, TRIES how often without an answer. `address` (scheme, host and perhaps a path) replaces the service's own.
    """

    service: str
    operation: str
    region: str
    project_id: str
    method: str
    path: tuple[str, ...]
    query: Mapping[str, str] = {}
    body: Mapping[str, Any] | None = None
    repeat: frozenset[int] = ALWAYS
    repeat_codes: frozenset[str] = frozenset()
    before: datetime | None = None
    until: datetime | None = None
    tries: int = TRIES
    address: str | None = None
    headers: Mapping[str, str] = {}

    def failed(
        self, status: int | None, code: str, message: str, request_id: str = "", may_have_acted: bool = False
    ) -> CloudError:
        """The error of this call; Unreachable without a status."""
        kind = CloudError if status else Unreachable
        return kind(self.service, self.operation, self.region, status, code, message, request_id, may_have_acted)


class Transport:
    """Makes calls. `remaining` is the time that the run has left; `endpoint` gives the address of a service in a region.

    `auth` signs requests; without it they are signed as all services but OBS want it.
    """

    def __init__(
        self,
        credentials: Credentials,
        endpoint: Callable[[str, str], str],
        clock: Clock,
        remaining: Callable[[], timedelta],
        auth: AuthBase | None = None,
    ) -> None:
        self._exchange = Exchange()
        self._auth = auth or Signature(credentials, clock.now)
        self._credentials = credentials
        self._endpoint = endpoint
        self._clock = clock
        self._remaining = remaining
        self.skew: timedelta | None = None  # of this machine's clock, by the last answer that said its time

    def call(self, call: Call) -> dict[str, Any]:
        """The answer's JSON object. Raises CloudError, Unreachable without a usable answer."""
        headers = {"Content-Type": "application/json;charset=UTF-8", "X-Project-Id": call.project_id, **call.headers}
        content = json.dumps(call.body).encode() if call.body is not None else None
        return self.send(call, lambda answer: self._object(call, answer), headers, content)

    def send(self, call: Call, read: Callable[[Answer], T], headers: Mapping[str, str], content: bytes | None = None) -> T:
        """What `read` makes of the answer. It raises CloudError for an answer that says no, which may be repeated.

        Raises CloudError, Unreachable without a usable answer.
        """
        silences = 0
        for attempt in count(1):
            answer = None
            try:
                answer = self._once(call, headers, content)
                return read(answer)
            except CloudError as error:
                silences += error.status is None
                pause = self._pause(call, error, answer, attempt)
                if pause is None or attempt == call.tries or silences == TRIES:
                    raise
            self._clock.sleep(pause)
        raise AssertionError("unreachable")

    def _once(self, call: Call, headers: Mapping[str, str], content: bytes | None) -> Answer:
        if self._left(call) < LEAST_TIME:
            raise call.failed(None, _OUT_OF_TIME, "no time is left for the call")
        try:
            url = url_of(call.address or self._endpoint(call.service, call.region), call.path, call.query)
            answer = self._exchange.make(
                call.method, url, {"User-Agent": "ges-upgrader", **headers}, content, self._auth, self._seconds(call)
            )
        except ValueError as problem:
            raise call.failed(None, _UNUSABLE, self._credentials.mask(str(problem))) from None
        except Unanswered as failure:
            why = self._credentials.mask(str(failure), failure.headers)
            raise call.failed(None, _code_of(failure), why, may_have_acted=failure.sent) from None
        told = _time_of(answer)
        self.skew = self.skew if told is None else self._clock.now() - told
        return answer

    def _left(self, call: Call) -> timedelta:
        remaining = self._remaining()
        return remaining if call.until is None else min(remaining, call.until - self._clock.now())

    def _seconds(self, call: Call) -> tuple[float, float]:
        """For connecting, and for a whole try: at most half of the run's time, so that the run can report what happened."""
        whole = min(self._remaining() / 2, self._left(call)).total_seconds()
        return min(CONNECT_TIMEOUT, whole / 2), min(EXCHANGE_TIMEOUT, whole)

    def _pause(self, call: Call, error: CloudError, answer: Answer | None, attempt: int) -> float | None:
        """Seconds until the call is repeated. None: it is not repeated."""
        if not _repeatable(call, error):
            return None
        asked = _retry_after(answer)
        pause = _backoff(attempt) if asked is None else asked
        return pause if self._has_time_after(timedelta(seconds=pause), call) else None

    def _has_time_after(self, pause: timedelta, call: Call) -> bool:
        late = call.before is not None and self._clock.now() + pause >= call.before
        return not late and pause < self._left(call)

    def _object(self, call: Call, answer: Answer) -> dict[str, Any]:
        content: Any = decode_json(answer.text)
        if not 200 <= answer.status < 300:
            raise self._refused(call, answer, hard_error(content), may_have_acted=unsettled(answer.status))
        if not isinstance(content, dict):
            raise self._unreadable(call, answer)
        soft = soft_error(content)
        if soft is not None:
            raise self._refused(call, answer, soft, may_have_acted=False)
        return self._masked(call, answer, content)

    def _masked(self, call: Call, answer: Answer, content: dict[str, Any]) -> dict[str, Any]:
        """The object without secrets, in case the service repeats what it was sent."""
        masked = self._credentials.mask(answer.text, answer.sent)
        content = content if masked == answer.text else decode_json(masked)
        if not isinstance(content, dict):
            raise self._unreadable(call, answer)
        return content

    def _unreadable(self, call: Call, answer: Answer) -> CloudError:
        return self._refused(call, answer, Refusal(_UNREADABLE, "the answer is no JSON object"), may_have_acted=True)

    def _refused(self, call: Call, answer: Answer, refusal: Refusal, *, may_have_acted: bool) -> CloudError:
        """The answer's own words, masked while they are whole; of endless ones the end is not shown anyway."""

        def masked(text: str) -> str:
            return self._credentials.mask(text[:_MOST_WORDS], answer.sent)

        return call.failed(
            answer.status,
            masked(refusal.code or f"HTTP-{answer.status}"),
            masked(refusal.message) or plain(masked(answer.text)),
            masked(refusal.request_id or answer.headers.get("X-Request-Id") or ""),
            may_have_acted,
        )


def _time_of(answer: Answer) -> datetime | None:
    try:
        told = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (TypeError, ValueError, IndexError):
        return None
    return told if told.tzinfo else None


def unsettled(status: int) -> bool:
    """Whether a call with this status may have taken effect. Only a refusal of the caller, 4xx, says that it did not."""
    return not 400 <= status < 500 or status == 408


def _code_of(failure: Unanswered) -> str:
    if failure.sent:
        return "no-answer"
    return _UNUSABLE if failure.final else "unreachable"


def _repeatable(call: Call, error: CloudError) -> bool:
    if error.code in (_OUT_OF_TIME, _UNUSABLE):
        return False
    if isinstance(error, Unreachable):
        return call.method == "GET" or not error.may_have_acted
    return _passes(call, error) or (error.code == _UNREADABLE and call.method == "GET")


def _passes(call: Call, error: CloudError) -> bool:
    """Whether the answer says that the same call may succeed later."""
    return error.status in call.repeat or error.code in call.repeat_codes


def _backoff(attempt: int) -> float:
    """Full jitter over a doubling pause, never nothing."""
    longest = min(_FIRST_PAUSE * 2.0**attempt, _LONGEST_PAUSE)
    return random.uniform(longest / 4, longest)


def _retry_after(answer: Answer | None) -> float | None:
    """Retry-After in seconds; the gateway uses no dates (ges.md 1)."""
    value = answer.headers.get("Retry-After", "") if answer else ""
    return min(float(value), 3600.0) if re.fullmatch(r"[0-9]{1,9}", value) else None
