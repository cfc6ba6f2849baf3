"""OBS: an object that is read from a position on and appended to at one, which is its compare-and-swap (smn-obs-core.md C1).

OBS has a signature of its own, which huaweicloudsdkcore does not know, and speaks bytes and XML.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

import requests
from requests.auth import AuthBase

from ges_upgrader.clock import Clock
from ges_upgrader.cloud.credentials import Credentials
from ges_upgrader.cloud.errors import CloudError, Unreachable
from ges_upgrader.cloud.transport import ALWAYS, LEAST_TIME, TRIES, backoff, never_sent, time_limits

_NOT_THERE, _BEYOND_END, _ELSEWHERE = "NoSuchKey", "InvalidRange", "PositionNotEqualToLength"
_ABORTED = "OperationAborted"  # it met another operation, and did nothing (smn-obs-core.md C1, consistency)


class WrongPosition(Exception):
    """The object is not as long as the position that was appended at."""


class Obs:
    """The objects of one bucket. `base` is the address that keys are added to."""

    def __init__(
        self,
        credentials: Credentials,
        bucket: str,
        region: str,
        base: str,
        clock: Clock,
        remaining: Callable[[], timedelta],
    ) -> None:
        self._credentials, self._bucket, self._region, self._base = credentials, bucket, region, base.rstrip("/")
        self._clock, self._remaining = clock, remaining
        self._session = requests.Session()

    def read(self, key: str, position: int) -> bytes | None:
        """The bytes from `position` to the end, which may be none; None: there is no such object. Raises CloudError."""
        answer = self._send("get_object", "GET", key, headers={"Range": f"bytes={position}-"} if position else {}, repeat=True)
        code = _code(answer)
        if answer.status_code == 404 and code == _NOT_THERE:
            return None
        if answer.status_code == 416 or code == _BEYOND_END:
            return b""
        if answer.status_code == 200 and position:
            return answer.content[position:]
        if answer.status_code in (200, 206):
            return answer.content
        raise self._error("get_object", answer)

    def append(self, key: str, position: int, data: bytes) -> None:
        """Appends at exactly `position`; 0 creates the object.

        Raises WrongPosition, and CloudError, whose `may_have_acted` says whether to look.
        """
        query = {"append": "", "position": str(position)}
        answer = self._send("append_object", "POST", key, query, data)
        if answer.status_code == 409 and _code(answer) == _ELSEWHERE:
            raise WrongPosition
        if answer.status_code != 200:
            raise self._error("append_object", answer)

    def _send(
        self,
        operation: str,
        method: str,
        key: str,
        query: Mapping[str, str] | None = None,
        data: bytes = b"",
        headers: Mapping[str, str] | None = None,
        repeat: bool = False,
    ) -> requests.Response:
        """A quarter of the time that is left at the most: where OBS is silent, the run has other things to do."""
        end = self._clock.now() + self._remaining() / 4
        for attempt in range(1, TRIES + 1):
            pause = backoff(attempt)
            left = end - self._clock.now()
            last = attempt == TRIES or timedelta(seconds=pause) >= left
            try:
                answer = self._once(operation, method, key, query or {}, data, headers or {}, left)
            except Unreachable as error:
                if last or (error.may_have_acted and not repeat):
                    raise
            else:
                again = answer.status_code in ALWAYS if repeat else answer.status_code == 429
                if last or not (again or _code(answer) == _ABORTED):
                    return answer
            self._clock.sleep(pause)
        raise AssertionError("unreachable")

    def _once(
        self,
        operation: str,
        method: str,
        key: str,
        query: Mapping[str, str],
        data: bytes,
        headers: Mapping[str, str],
        left: timedelta,
    ) -> requests.Response:
        if left < LEAST_TIME:
            raise Unreachable("obs", operation, self._region, None, "out-of-time", "the run has no time left")
        if not self._credentials.ak:
            why = "OBS takes no token: give the function an agency with keys, or HUAWEICLOUD_SDK_AK and _SK"
            raise CloudError("obs", operation, self._region, None, "no-keys", why)
        path = quote(key, safe="/~")
        asked = "&".join(name if value == "" else f"{name}={value}" for name, value in query.items())
        signed = authorization(self._credentials, method, f"/{self._bucket}/{path}", query, self._clock.now())
        try:
            return self._session.request(
                method,
                f"{self._base}/{path}" + (f"?{asked}" if asked else ""),
                headers={"User-Agent": "ges-upgrader", **headers},
                auth=_Signed(signed),
                data=data or None,
                timeout=time_limits(2 * left),
                allow_redirects=False,
            )
        except requests.RequestException as failure:
            sent = not never_sent(failure)
            what = self._credentials.mask(f"{type(failure).__name__}: {failure}", signed)
            code = "no-answer" if sent else "unreachable"
            raise Unreachable("obs", operation, self._region, None, code, what, may_have_acted=sent) from None

    def _error(self, operation: str, answer: requests.Response) -> CloudError:
        status, sent = answer.status_code, answer.request.headers
        return CloudError(
            "obs",
            operation,
            self._region,
            status,
            self._credentials.mask(_code(answer) or f"HTTP-{status}", sent),
            self._credentials.mask(_element(answer, "Message") or "no message", sent),
            self._credentials.mask(answer.headers.get("x-obs-request-id", ""), sent),
            may_have_acted=status < 400 or status in ALWAYS,
        )


class _Signed(AuthBase):
    """As requests' `auth`, so that a ~/.netrc is not used instead."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


def authorization(
    credentials: Credentials, method: str, resource: str, query: Mapping[str, str], now: datetime
) -> dict[str, str]:
    """The headers that sign a request without a body's type: `OBS AK:base64(HMAC-SHA1(SK, …))` (smn-obs-core.md C1, auth)."""
    own = {"x-obs-date": format_datetime(now, usegmt=True)}
    if credentials.security_token:
        own["x-obs-security-token"] = credentials.security_token
    sub = "&".join(name if value == "" else f"{name}={value}" for name, value in sorted(query.items()))
    lines = [method, "", "", "", *(f"{name}:{value}" for name, value in sorted(own.items()))]
    text = "\n".join(lines) + f"\n{resource}" + (f"?{sub}" if sub else "")
    digest = hmac.new(credentials.sk.encode(), text.encode(), hashlib.sha1).digest()
    return {**own, "Authorization": f"OBS {credentials.ak}:{base64.b64encode(digest).decode()}"}


def _code(answer: requests.Response) -> str:
    return _element(answer, "Code")


def _element(answer: requests.Response, name: str) -> str:
    """The text of an element of an error, without a parser of XML for two words."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", answer.text[:4000]) if answer.status_code >= 300 else None
    return found[1].strip() if found else ""
