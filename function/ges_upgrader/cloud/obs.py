"""OBS: an object is read from a position on and appended to at one, which is its compare-and-swap (smn-obs-core.md C1).

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
from urllib.parse import parse_qsl, urlsplit

import msgspec
from requests import PreparedRequest
from requests.auth import AuthBase

from ges_upgrader.clock import Clock
from ges_upgrader.cloud.credentials import Credentials
from ges_upgrader.cloud.errors import CloudError, Forbidden
from ges_upgrader.cloud.exchange import Answer
from ges_upgrader.cloud.transport import ALWAYS, ONLY_THROTTLED, Call, Transport, unsettled

_MISSING, _BEYOND_END, _ELSEWHERE = "NoSuchKey", "InvalidRange", "PositionNotEqualToLength"
_ABORTED = frozenset({"OperationAborted"})  # it met another operation, and did nothing (smn-obs-core.md C1, consistency)
_NEXT = "x-obs-next-append-position"


class WrongPosition(Exception):
    """The object is not as long as the position that was appended at."""


class Found(msgspec.Struct, frozen=True):
    """An object. `etag` changes with its content."""

    etag: str
    content: bytes


class Obs:
    """The objects of one bucket. `base` is the address that keys are added to.

    A call takes at most a quarter of the time that the run has left: if OBS is silent, the run has other things to do.
    """

    def __init__(
        self,
        credentials: Credentials,
        bucket: str,
        region: str,
        base: str,
        clock: Clock,
        remaining: Callable[[], timedelta],
    ) -> None:
        self._credentials, self._region, self._base = credentials, region, base.rstrip("/")
        self._clock, self._remaining = clock, remaining
        signature = ObsSignature(credentials, bucket, self._base, clock.now)
        self._transport = Transport(credentials, lambda *_: self._base, clock, remaining, signature)

    def read(self, key: str, position: int) -> bytes | None:
        """The bytes from `position` to the end, which may be none; None: there is no such object.

        Raises Forbidden if the object may not be read, or is missing and the bucket may not be listed (deploy.md 3);
        otherwise CloudError.
        """
        call = self._call("get_object", "GET", key)

        def found(answer: Answer) -> bytes | None:
            code = _element(answer, "Code")
            if answer.status == 404 and code == _MISSING:
                return None
            if answer.status == 416 or code == _BEYOND_END:
                return b""
            if answer.status == 200:
                return self._whole(call, answer, 0)[position:]
            if answer.status == 206:
                return self._whole(call, answer, position)
            raise self._refused(call, answer)

        return self._transport.send(call, found, {"Range": f"bytes={position}-"} if position else {})

    def read_whole(self, key: str, known: str | None = None) -> Found | None:
        """The object; None if it is still the one whose ETag is `known`. Raises CloudError, also if there is no such object."""
        call = self._call("get_object", "GET", key)

        def found(answer: Answer) -> Found | None:
            if answer.status == 304 and known is not None:
                return None
            if answer.status != 200:
                raise self._refused(call, answer)
            return Found(answer.headers.get("ETag", ""), self._whole(call, answer, 0))

        return self._transport.send(call, found, {"If-None-Match": known} if known else {})

    def append(self, key: str, position: int, data: bytes) -> None:
        """Appends at exactly `position`; 0 creates the object.

        Raises WrongPosition, and CloudError, whose `may_have_acted` says whether to look.
        """
        call = self._call("append_object", "POST", key, {"append": "", "position": str(position)})

        def appended(answer: Answer) -> None:
            if answer.status == 409 and _element(answer, "Code") == _ELSEWHERE:
                raise WrongPosition
            if answer.status != 200:
                raise self._refused(call, answer)
            end, told = position + len(data), answer.headers.get(_NEXT)
            if told is not None and told != str(end):
                what = f"the object now ends at {self._credentials.mask(told, answer.sent)}, not at {end}"
                raise call.failed(200, "unexpected-position", what, may_have_acted=True)

        self._transport.send(call, appended, {}, data)

    def _call(self, operation: str, method: str, key: str, query: Mapping[str, str] | None = None) -> Call:
        """Raises CloudError without keys to sign with."""
        call = Call(
            service="obs",
            operation=operation,
            region=self._region,
            project_id="",
            method=method,
            path=tuple(key.split("/")),
            query=query or {},
            repeat=ALWAYS if method == "GET" else ONLY_THROTTLED,
            repeat_codes=_ABORTED,
            until=self._clock.now() + self._remaining() / 4,
        )
        if not self._credentials.ak:
            why = "OBS takes no token: give the function an agency with keys, or HUAWEICLOUD_SDK_AK and _SK"
            raise CloudError("obs", operation, self._region, None, "no-keys", why)
        return call

    def _whole(self, call: Call, answer: Answer, position: int) -> bytes:
        """The body, if it begins at `position` and ends where the object does. A part would be taken for the journal."""
        if _begins_at(answer, position) and _reaches_end(answer, position):
            return answer.body
        raise call.failed(answer.status, "unreadable", "the answer is not the part of the object that was asked for")

    def _refused(self, call: Call, answer: Answer) -> CloudError:
        status = answer.status
        code = _element(answer, "Code") or f"HTTP-{status}"
        kind = Forbidden if (status, code) == (403, "AccessDenied") else CloudError
        return kind(
            call.service,
            call.operation,
            call.region,
            status,
            self._credentials.mask(code, answer.sent),
            self._credentials.mask(_element(answer, "Message") or "no message", answer.sent),
            self._credentials.mask(answer.headers.get("x-obs-request-id", ""), answer.sent),
            unsettled(status),
        )


class ObsSignature(AuthBase):
    """Signs a request to a bucket whose keys are added to `base`. As requests' `auth`, so that each try gets its own date."""

    def __init__(self, credentials: Credentials, bucket: str, base: str, now: Callable[[], datetime]) -> None:
        self._credentials, self._bucket, self._base, self._now = credentials, bucket, base, now

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        url = urlsplit(request.url or "")
        resource = f"/{self._bucket}{url.path[len(urlsplit(self._base).path) :]}"
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        request.headers.update(authorization(self._credentials, request.method or "", resource, query, self._now()))
        return request


def authorization(
    credentials: Credentials, method: str, resource: str, query: Mapping[str, str], now: datetime
) -> dict[str, str]:
    """The headers that sign a request without a body's type: `OBS AK:base64(HMAC-SHA1(SK, …))` (smn-obs-core.md C1, auth)."""
    own = {"x-obs-date": format_datetime(now, usegmt=True)}
    if credentials.security_token:
        own["x-obs-security-token"] = credentials.security_token
    lines = [method, "", "", "", *(f"{name}:{value}" for name, value in sorted(own.items())), f"{resource}{_signed(query)}"]
    digest = hmac.new(credentials.sk.encode(), "\n".join(lines).encode(), hashlib.sha1).digest()
    return {**own, "Authorization": f"OBS {credentials.ak}:{base64.b64encode(digest).decode()}"}


def _signed(query: Mapping[str, str]) -> str:
    """The query as it is signed: in order, and not encoded."""
    pairs = [name if value == "" else f"{name}={value}" for name, value in sorted(query.items())]
    return "?" + "&".join(pairs) if pairs else ""


def _begins_at(answer: Answer, position: int) -> bool:
    span = answer.headers.get("Content-Range")
    return answer.status == 200 or span is None or span.startswith(f"bytes {position}-")


def _reaches_end(answer: Answer, position: int) -> bool:
    """Whether the body ends where the object does, if OBS says where that is."""
    end = answer.headers.get(_NEXT) or ""
    return not re.fullmatch("[0-9]{1,18}", end) or position + len(answer.body) >= int(end)


def _element(answer: Answer, name: str) -> str:
    """The text of an element of an error, without a parser of XML for two words."""
    found = re.search(rf"<{name}>([^<]*)</{name}>", answer.text[:4000]) if answer.status >= 300 else None
    return found[1].strip() if found else ""
