"""One request over `requests` and its answer, within a time and a size, whatever the server does.

HTTPAdapter serves without a Session, because a Session reads Location headers, keeps cookies and knows ~/.netrc.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

import msgspec
import requests
from requests.auth import AuthBase
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import NewConnectionError

from ges_upgrader.cloud.sockets import LimitedAdapter, Limits, TooLarge, certificates

MOST_BYTES = 16 * 1024 * 1024  # of an answer, decoded
_FRAMING = 1024 * 1024  # bytes that headers and chunks may take beside the body
_CHUNK = 64 * 1024

# No user name, password, query or blank: a text that holds one of them is no address of a service.
_HOST = r"(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9._-]*[a-z0-9])?\.?)"
_BASE = re.compile(rf"https?://{_HOST}(:[0-9]{{1,5}})?(/[a-z0-9._~/%-]*)?", re.IGNORECASE)


class Answer(msgspec.Struct, frozen=True):
    """What a server answered. `headers` ignores the case of names. `sent` are the headers of the request."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent: Mapping[str, str]

    @property
    def text(self) -> str:
        """The body as UTF-8, whatever character set the server names. What is no UTF-8 is replaced."""
        return self.body.decode("utf-8-sig", "replace")


class Unanswered(Exception):
    """There is no usable answer. `sent`: a part of the request may have left this machine.

    `final`: nothing can be sent to this address, or with these headers, at any time. `headers` are those of the request.
    """

    def __init__(self, why: str, sent: bool, final: bool, headers: Mapping[str, str]) -> None:
        super().__init__(why)
        self.sent, self.final, self.headers = sent, final, headers


def url_of(base: str, path: Iterable[str], query: Mapping[str, str]) -> str:
    """The URL of a path, given as segments that are not encoded, under an address.

    Raises ValueError, whose text quotes no address: one that is wrong may hold a password.
    """
    if not _BASE.fullmatch(base):
        raise ValueError("the address of the service is not of the form https://host[:port] without a user name")
    encoded = "/".join(map(_encoded, path))
    return f"{base.rstrip('/')}/{encoded}{_query_of(query)}"


def _encoded(segment: str) -> str:
    if not {".", "..", ""}.isdisjoint(re.split(r"[/\\]", segment)):
        raise ValueError(f"{segment!r} is empty or would lead to another path")
    return quote(segment, safe="")


def _query_of(query: Mapping[str, str]) -> str:
    pairs = [name if value == "" else f"{name}={quote(value, safe='')}" for name, value in query.items()]
    return "?" + "&".join(pairs) if pairs else ""


class Exchange:
    """Makes exchanges one after the other, and keeps connections for the next."""

    def __init__(self) -> None:
        self._adapter = LimitedAdapter()
        self._proxies: dict[str, dict[str, str]] = {}

    def make(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None,
        auth: AuthBase,
        seconds: tuple[float, float],
    ) -> Answer:
        """Sends a request once and reads the answer. `seconds` are for connecting, and for everything together.

        A redirect is an answer like any other. Raises Unanswered for every failure, also of the libraries.
        """
        limits = Limits(seconds[1], MOST_BYTES + _FRAMING)
        proxies: dict[str, str] = {}
        request = requests.PreparedRequest()
        try:
            with limits.applied():
                headers = {**headers, "Accept-Encoding": "identity"}
                request.prepare(method=method, url=url, headers=headers, data=content, auth=auth)
                proxies = self._proxies_for(url)
                limits.sent = True  # unless the adapter knows better
                response = self._adapter.send(request, stream=True, timeout=seconds, verify=certificates(), proxies=proxies)
                try:
                    return Answer(response.status_code, response.headers, _body(response), request.headers)
                finally:
                    response.close()
        except Exception as failure:
            through = " through the proxy of the environment" if select_proxy(url, proxies) else ""
            why, sent, final = _judged(failure, limits.sent)
            raise Unanswered(f"{urlsplit(url).hostname}{through}: {why}", sent, final, request.headers or {}) from None

    def _proxies_for(self, url: str) -> dict[str, str]:
        host = urlsplit(url).netloc
        if host not in self._proxies:
            self._proxies[host] = get_environ_proxies(url)
        return self._proxies[host]


def _body(response: requests.Response) -> bytes:
    """The decoded body, read in pieces: a small body may decode to gigabytes. Raises TooLarge."""
    body = bytearray()
    for piece in response.iter_content(_CHUNK):
        body += piece
        if len(body) > MOST_BYTES:
            raise TooLarge("the answer is too large")
    return bytes(body)


def _judged(failure: Exception, sent: bool) -> tuple[str, bool, bool]:
    """Why there is no answer, whether the request was sent, and whether it never can be.

    The words hold no address. Those of the libraries do, with the passwords of proxies. They are the same each time, so that
    a run reports them once.
    """
    connected, reason = not _never_connected(failure), _innermost(failure)
    sent = sent and connected
    final = connected and not sent and not _is_of_network(reason)
    return _why(reason, sent), sent, final


def _why(reason: BaseException, sent: bool) -> str:
    if isinstance(reason, TimeoutError):
        return "no answer came in time" if sent else "no connection was made in time"
    if isinstance(reason, TooLarge):
        return f"the answer is larger than {MOST_BYTES // 1024**2} MB"
    quoted = sent or _is_of_network(reason)
    return f"{type(reason).__name__}: {reason}" if quoted else f"{type(reason).__name__}, before anything was sent"


def _is_of_network(reason: BaseException) -> bool:
    return isinstance(reason, OSError) and not isinstance(reason, requests.RequestException)


def _never_connected(failure: Exception) -> bool:
    """Whether requests says so. Our own connections know it by themselves; a simulated network has none."""
    reason = getattr(failure.args[0] if failure.args else None, "reason", None)
    return isinstance(reason, NewConnectionError)


def _innermost(failure: BaseException) -> BaseException:
    while (inner := failure.__cause__ or (None if failure.__suppress_context__ else failure.__context__)) is not None:
        failure = inner
    return failure
