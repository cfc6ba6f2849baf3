"""Calls of which nothing was sent: they say so, may be repeated, and let out no password that stands in an address."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from ges_upgrader.clock import SystemClock
from ges_upgrader.cloud.errors import CloudError, Unreachable
from ges_upgrader.cloud.ges.client import Ges
from ges_upgrader.cloud.transport import TRIES, Transport
from ges_upgrader.domain.model import Project
from huaweicloud_simulator import VirtualClock
from tests.builders import NOW, PROJECT, PROJECT_ID
from tests.wire.clients import CALLS, KEYS, SECRETS, TARGET, Clients
from tests.wire.hostile import HostileServer, Peer, answering, response

HOUR = timedelta(hours=1)
PASSWORD = "pa55w0rd"
ENCODED = "dXNlcjpwYTU1dzByZA=="  # base64 of user:PASSWORD, as a proxy gets it


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of loopback at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def outcome(url: str, name: str) -> Any:
    try:
        return Clients(url, VirtualClock(NOW), HOUR).call(name)
    except CloudError as error:
        return error


def assert_unsent(found: Any) -> None:
    assert isinstance(found, Unreachable), found
    assert not found.may_have_acted
    shown = f"{found} {found!r} {vars(found)} {found.__cause__!r}"
    assert not any(secret in shown for secret in (PASSWORD, ENCODED, *SECRETS)), shown
    assert "not sent" in str(found)


ADDRESSES = [
    *("/", "127.0.0.1:9", "ges.example", "//127.0.0.1:9", "ftp://127.0.0.1:9", "file:///etc/passwd", "http://", "http:///x"),
    *(
        "http://[",
        "http://[::1",
        "http://x:99999",
        "http://x:y",
        "http://a b",
        "http://\u56fe",
        "http://x\r\nHost: y",
        "http://x?a=b",
    ),
    *(
        f"http://user:{PASSWORD}@127.0.0.1:9",
        f"user:{PASSWORD}@127.0.0.1:9",
        f"https://user:{PASSWORD}@[",
        f"http://{PASSWORD}@x",
    ),
    *(
        f"https://ges.{'a' * 64}.myhuaweicloud.com",
        f"https://{'a.' * 200}com",
        "https://.",
        "https://..",
        "https://a..b",
        "https://-",
    ),
]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("address", ADDRESSES)
def test_unusable_address_sends_nothing(address: str, name: str) -> None:
    assert_unsent(outcome(address, name))


@pytest.mark.parametrize("region", ["a" * 64, "cn north", "..", "\u56fe", "x\n", f"user:{PASSWORD}@x/", "#", ""])
def test_odd_region_sends_nothing(region: str) -> None:
    transport = Transport(KEYS, lambda s, r: f"https://{s}.{r}.invalid", VirtualClock(NOW), lambda: HOUR)
    with pytest.raises(Unreachable) as unsent:
        Ges(transport, "v2").upgrade_graph(Project(region, PROJECT_ID), "graph-1", TARGET, force=False)
    assert not unsent.value.may_have_acted


@pytest.mark.parametrize("name", CALLS)
def test_refused_connection_sends_nothing(name: str) -> None:
    with closed_port() as port:
        found = outcome(f"http://127.0.0.1:{port}", name)
    assert_unsent(found)
    assert "ConnectionRefusedError" in str(found)


def test_unusable_address_is_not_tried_again() -> None:
    clock = VirtualClock(NOW)
    with pytest.raises(Unreachable):
        Clients("https://ges." + "a" * 64, clock, HOUR).call("list_graphs")
    assert clock.now() == NOW


def test_unsent_call_is_tried_again() -> None:
    """Also one that acts, since it did not."""
    with HostileServer(lambda peer: peer.send(b"this is no TLS")) as server:
        assert_unsent(outcome(server.url.replace("http:", "https:"), "upgrade"))
        assert len(server.peers) == TRIES


def test_unknown_name_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    found = outcome("https://ges.invalid", "upgrade")
    assert_unsent(found)
    assert "ges.invalid: gaierror: [Errno -2] Name or service not known" in str(found)


def test_slow_name_lookup_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look-up cannot be interrupted: it is left behind."""
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: done.wait(120))
    began = time.monotonic()
    clients = Clients("https://ges.invalid", SystemClock(), timedelta(seconds=1))
    with pytest.raises(Unreachable) as unsent:
        clients.call("upgrade")
    assert time.monotonic() - began < 30
    assert_unsent(unsent.value)
    done.set()


def test_second_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo
    with closed_port() as port, HostileServer(answering(response(b'{"job_id": "job-1"}'))) as server:
        both = [
            *look_up("127.0.0.1", port, type=socket.SOCK_STREAM),
            *look_up("127.0.0.1", server.port, type=socket.SOCK_STREAM),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
        assert outcome("http://ges.invalid", "upgrade") == "job-1"


# TLS.


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """The one that clients trust."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    return authority


def context(authority: trustme.CA, host: str = "127.0.0.1") -> ssl.SSLContext:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(server)
    return server


def test_trusted_tls_is_used(authority: trustme.CA) -> None:
    with HostileServer(answering(response(b'{"job_id": "job-1"}')), context(authority)) as server:
        assert outcome(server.url, "upgrade") == "job-1"


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("why", ["unknown authority", "other host"])
def test_untrusted_tls_sends_nothing(authority: trustme.CA, why: str, name: str) -> None:
    known = why == "other host"
    tls = context(authority if known else trustme.CA(), "other.example" if known else "127.0.0.1")
    with HostileServer(answering(response()), tls) as server:
        found = outcome(server.url, name)
    assert_unsent(found)
    assert "SSLCertVerificationError" in str(found)


@pytest.mark.parametrize("name", CALLS)
def test_no_tls_sends_nothing(authority: trustme.CA, name: str) -> None:
    with HostileServer(lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        assert_unsent(outcome(server.url.replace("http:", "https:"), name))


def test_missing_certificates_send_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    assert_unsent(outcome("https://127.0.0.1:9", "upgrade"))


# Proxies of the environment.

PROXIES = [
    *(
        f"http://user:{PASSWORD}@",
        f"http://user:{PASSWORD}@[",
        f"user:{PASSWORD}@",
        f"http://user:{PASSWORD}@x:99999",
        "http://[",
    ),
    *(
        f"socks5://user:{PASSWORD}@127.0.0.1:9",
        f"ftp://user:{PASSWORD}@127.0.0.1:9",
        f"://{PASSWORD}",
        f"http://{'a' * 64}.invalid",
    ),
]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("proxy", PROXIES)
def test_unusable_proxy_sends_nothing(monkeypatch: pytest.MonkeyPatch, proxy: str, scheme: str) -> None:
    monkeypatch.setenv(f"{scheme.upper()}_PROXY", proxy)
    assert_unsent(outcome(f"{scheme}://ges.invalid", "upgrade"))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_refused_proxy_sends_nothing(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    with closed_port() as port:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://user:{PASSWORD}@127.0.0.1:{port}")
        found = outcome(f"{scheme}://ges.invalid", "upgrade")
    assert_unsent(found)
    assert "through the proxy of the environment: ConnectionRefusedError" in str(found)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nno TLS",
        b"",
    ],
)
def test_proxy_without_tunnel_sends_nothing(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    asked: list[bytes] = []

    def behave(peer: Peer) -> None:
        asked.append(peer.read_request())
        peer.send(answer)

    with HostileServer(behave) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:{PASSWORD}@127.0.0.1:{proxy.port}")
        found = outcome("https://ges.invalid", "upgrade")
    assert_unsent(found)
    assert asked[0].startswith(b"CONNECT ges.invalid:443 ")
    assert f"Basic {ENCODED}".encode() in asked[0]


def test_proxy_forwards_what_is_not_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    with HostileServer(answering(response(b'{"job_id": "job-1"}'))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:{PASSWORD}@127.0.0.1:{proxy.port}")
        assert outcome("http://ges.invalid", "upgrade") == "job-1"


def test_lost_answer_of_proxy_may_have_acted(monkeypatch: pytest.MonkeyPatch) -> None:
    with HostileServer(answering(b"")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:{PASSWORD}@127.0.0.1:{proxy.port}")
        found = outcome("http://ges.invalid", "upgrade")
    assert isinstance(found, Unreachable)
    assert found.may_have_acted


def test_proxy_over_tls_is_within_time(monkeypatch: pytest.MonkeyPatch, authority: trustme.CA) -> None:
    """TLS to the proxy, and its answer to CONNECT, are limited as well."""
    asked: list[bytes] = []

    def behave(peer: Peer) -> None:
        asked.append(peer.read_request())
        peer.drip(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000)

    began = time.monotonic()
    with HostileServer(behave, context(authority)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"https://user:{PASSWORD}@127.0.0.1:{proxy.port}")
        with pytest.raises(Unreachable) as unsent:
            Clients("https://ges.invalid", SystemClock(), timedelta(seconds=2)).call("upgrade")
    assert time.monotonic() - began < 30
    assert_unsent(unsent.value)
    assert asked[0].startswith(b"CONNECT ges.invalid:443 ")


def test_tunnel_over_tls_is_used(monkeypatch: pytest.MonkeyPatch, authority: trustme.CA) -> None:
    """TLS within TLS."""
    inner = context(authority, "ges.invalid")

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        tunnel = inner.wrap_bio(received, sent, server_side=True)

        def step(act: Callable[[], Any]) -> Any:
            while True:
                try:
                    return act()
                except ssl.SSLWantReadError:
                    peer.send(sent.read())
                    received.write(peer.connection.recv(65536))

        step(tunnel.do_handshake)
        asked = b""
        while b"}" not in asked:
            asked += step(lambda: tunnel.read(65536))
        tunnel.write(response(b'{"job_id": "job-1"}'))
        peer.send(sent.read())

    with HostileServer(behave, context(authority)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{proxy.port}")
        assert outcome("https://ges.invalid", "upgrade") == "job-1"


# Ids that would lead to another path.


@pytest.mark.parametrize("graph_id", ["", ".", "..", "../..", "a/../b", "..\\x", "/", "a//b", "./x", "\ud800"])
def test_id_never_leads_elsewhere(graph_id: str) -> None:
    seen: list[bytes] = []

    def behave(peer: Peer) -> None:
        seen.append(peer.read_request())
        peer.send(response())

    with HostileServer(behave) as server:
        ges = Clients(server.url, VirtualClock(NOW), HOUR).ges
        for call in (
            lambda: ges.show_graph(PROJECT, graph_id),
            lambda: ges.show_job(PROJECT, "graph-1", graph_id),
            lambda: ges.list_backups(PROJECT, graph_id),
            lambda: ges.delete_backup(PROJECT, "graph-1", graph_id),
            lambda: ges.create_backup(PROJECT, graph_id),
            lambda: ges.upgrade_graph(PROJECT, graph_id, TARGET, force=False),
            lambda: ges.list_graphs(Project("cn-north-4", graph_id)),
        ):
            with pytest.raises(Unreachable) as refused:
                call()
            assert not refused.value.may_have_acted
    assert seen == []


def test_odd_id_stays_one_segment() -> None:
    seen: list[bytes] = []

    def behave(peer: Peer) -> None:
        seen.append(peer.read_request())
        peer.send(response())

    with HostileServer(behave) as server, pytest.raises(CloudError):
        Clients(server.url, VirtualClock(NOW), HOUR).ges.upgrade_graph(PROJECT, "a/b?c#d%2e\u56fe", TARGET, force=False)
    assert seen[0].startswith(f"POST /v2/{PROJECT_ID}/graphs/a%2Fb%3Fc%23d%252e%E5%9B%BE/upgrade HTTP/1.1".encode())
