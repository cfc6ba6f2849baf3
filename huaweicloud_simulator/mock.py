"""The door in the process: a Cloud answers every request that the `requests` library sends to Huawei Cloud."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar, overload
from urllib.parse import parse_qsl, urlsplit

import requests
import responses
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError

from .blocking import Blocked
from .cloud import Cloud
from .wire import NoAnswer, Request

# Host names of Huawei Cloud, and any address if the path belongs to a graph's data plane. Loopback passes.
_ADDRESSES = re.compile(
    r"https?://([a-z0-9.-]+\.(myhuaweicloud\.(com|eu)|huaweicloud\.com)(:\d+)?(/.*)?"
    r"|(?!127\.|localhost[:/])[^/]+/ges/v1\.0/.*)$"
)
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_active: list[Cloud] = []

F = TypeVar("F", bound=Callable[..., Any])


def current() -> Cloud:
    """The cloud of the innermost mock."""
    return _active[-1]


class _Mock:
    """A context manager, and a decorator. A decorator without a cloud creates a fresh one for each call."""

    def __init__(self, cloud: Cloud | None) -> None:
        self._given = cloud
        self._mock: responses.RequestsMock | None = None
        self._blocked = Blocked()

    def __enter__(self) -> Cloud:
        cloud = self._given or Cloud()
        self._mock = responses.RequestsMock(assert_all_requests_are_fired=False)
        self._mock.start()
        for method in _METHODS:
            self._mock.add_callback(method, _ADDRESSES, callback=functools.partial(_answer, cloud))
        for loopback in ("http://127.0.0.1", "http://localhost"):
            self._mock.add_passthru(loopback)
        _active.append(cloud)
        self._blocked.__enter__()
        return cloud

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._blocked.__exit__()
        _active.pop()
        if self._mock is not None:
            self._mock.stop()
            self._mock.reset()

    def __call__(self, function: F) -> F:
        @functools.wraps(function)
        def mocked(*args: Any, **kwargs: Any) -> Any:
            with _Mock(self._given):
                return function(*args, **kwargs)

        return mocked  # type: ignore[return-value]


@overload
def mock_huaweicloud(target: F) -> F: ...
@overload
def mock_huaweicloud(target: Cloud | None = None) -> _Mock: ...
def mock_huaweicloud(target: Any = None) -> Any:
    """`with mock_huaweicloud(cloud) as cloud:`, `@mock_huaweicloud` or `@mock_huaweicloud()`.

    Requests to other hosts than Huawei Cloud's and loopback raise requests.ConnectionError. Other clients than `requests`
    that want to reach Huawei Cloud meet NetworkBlocked.
    """
    if target is None or isinstance(target, Cloud):
        return _Mock(target)
    return _Mock(None)(target)


def _answer(cloud: Cloud, sent: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
    try:
        response = cloud.handle(received(cloud, sent))
    except NoAnswer as none:
        raise failure(none.how, sent) from None
    return response.status, response.headers, response.body


def received(cloud: Cloud, sent: requests.PreparedRequest) -> Request:
    """The request in the form that `Cloud.handle` takes."""
    url = urlsplit(sent.url or "")
    headers = {name.lower(): str(value) for name, value in sent.headers.items()}
    headers.setdefault("host", url.netloc)
    body = sent.body or b""
    return Request(
        method=sent.method or "",
        path=url.path,
        query=dict(parse_qsl(url.query, keep_blank_values=True)),
        headers=headers,
        body=body.encode() if isinstance(body, str) else body,
        at=cloud.clock.now(),
        scheme=url.scheme,
    )


def failure(how: str, sent: requests.PreparedRequest) -> requests.RequestException:
    """The exception that `requests` raises in this case, with its cause inside. `how` is that of NoAnswer."""
    if how == "timeout":
        return requests.exceptions.ReadTimeout("Read timed out.", request=sent)
    if how == "reset":
        return requests.exceptions.ConnectionError(("Connection aborted.", ConnectionResetError(104, "reset")), request=sent)
    refused = NewConnectionError(HTTPConnection("refused"), "Failed to establish a new connection: [Errno 111] refused")
    return requests.exceptions.ConnectionError(MaxRetryError(HTTPConnectionPool("refused"), "/", refused), request=sent)
