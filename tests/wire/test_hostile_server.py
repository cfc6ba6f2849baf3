"""Servers that drip, flood, lie and hang up. Every call ends in time, within its size, and as what it is."""

from __future__ import annotations

import gzip
import itertools
import json
import ssl
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ges_upgrader.clock import SystemClock
from ges_upgrader.cloud.errors import CloudError, Unreachable
from huaweicloud_simulator import VirtualClock
from tests.builders import NOW
from tests.wire.clients import ACTING, CALLS, SECRETS, Clients
from tests.wire.hostile import Behaviour, HostileServer, Peer, answering, response

MEGABYTE = 1024 * 1024
SHORT = timedelta(seconds=2)
HOUR = timedelta(hours=1)
GENEROUS = 30.0  # seconds; a call without a limit would take minutes, or for ever
BUFFERS = 24 * MEGABYTE  # of the sockets of one connection, and the answer's framing


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ssl.SSLContext:
    """A server's context that clients trust."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    return context(authority)


def context(authority: trustme.CA, host: str = "127.0.0.1") -> ssl.SSLContext:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(server)
    return server


def outcome(clients: Clients, name: str) -> Any:
    """What the call gives, or the CloudError that it raises. Anything else that it raises fails the test."""
    try:
        return clients.call(name)
    except CloudError as error:
        return error


def outcomes(url: str, names: Iterable[str] = CALLS) -> dict[str, Any]:
    """Of calls that are made at the same time, each with clients of its own; in real time."""

    def one(name: str) -> Any:
        return outcome(Clients(url, SystemClock(), SHORT), name)

    with ThreadPoolExecutor(len(CALLS)) as pool:
        return dict(zip(names, pool.map(one, names)))


def is_lost(found: Any, name: str) -> bool:
    """Whether it is an answer that was lost: unreachable, and perhaps acted on if the call acts."""
    if name == "invoke":
        return bool(found == "")  # counts as accepted (FunctionGraph.invoke_async)
    return isinstance(found, Unreachable) and (name not in ACTING or found.may_have_acted)


# Too slow.

HEAD = response(length=False)


def silent(peer: Peer) -> None:
    peer.read_request()
    peer.wait()


def drips_status(peer: Peer) -> None:
    peer.read_request()
    peer.drip(b"HTTP/1.1 200 OK" + b" " * 60_000)


def drips_headers(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\n")
    peer.drip(b"X: y\r\n" * 10_000)


def drips_body(peer: Peer) -> None:
    peer.read_request()
    peer.send(response(b"", length=False, headers=[("Content-Length", "60000")]))
    peer.drip(b" " * 60_000)


def drips_chunks(peer: Peer) -> None:
    peer.read_request()
    peer.send(response(b"", length=False, headers=[("Transfer-Encoding", "chunked")]))
    peer.drip(b"1\r\nx\r\n" * 10_000)


def drips_trailers(peer: Peer) -> None:
    peer.read_request()
    peer.send(response(b"2\r\n{}\r\n0\r\n", length=False, headers=[("Transfer-Encoding", "chunked")]))
    peer.drip(b"X: y\r\n" * 10_000)


def continues(peer: Peer) -> None:
    peer.read_request()
    while not peer.stopped.wait(0.02):
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")


SLOW = (silent, drips_status, drips_headers, drips_body, drips_chunks, drips_trailers, continues)


@pytest.mark.parametrize("behave", SLOW, ids=lambda behave: behave.__name__)
def test_slow_answer_ends_in_time(behave: Behaviour) -> None:
    began = time.monotonic()
    with HostileServer(behave) as server:
        found = outcomes(server.url)
    assert time.monotonic() - began < GENEROUS
    assert {name for name in CALLS if not is_lost(found[name], name)} == set()


@pytest.mark.parametrize("behave", [drips_headers, drips_body], ids=lambda behave: behave.__name__)
def test_slow_answer_ends_over_tls(behave: Behaviour, tls: ssl.SSLContext) -> None:
    began = time.monotonic()
    with HostileServer(behave, tls) as server:
        found = outcomes(server.url)
    assert time.monotonic() - began < GENEROUS
    assert {name for name in CALLS if not is_lost(found[name], name)} == set()


def drips_handshake(peer: Peer) -> None:
    peer.connection.recv(65536)
    peer.drip(b"\x16\x03\x03\x40\x00" + b"\x02" * 0x4000)


@pytest.mark.parametrize("behave", [Peer.wait, drips_handshake], ids=["silent", "drips"])
def test_slow_handshake_sends_nothing(behave: Behaviour, tls: ssl.SSLContext) -> None:
    began = time.monotonic()
    with HostileServer(behave) as server:
        found = outcomes(server.url.replace("http:", "https:"))
    assert time.monotonic() - began < GENEROUS
    assert {name: (type(one), one.may_have_acted) for name, one in found.items()} == dict.fromkeys(CALLS, (Unreachable, False))


def test_unread_request_ends_in_time() -> None:
    """The server takes no bytes, so that a large append fills all buffers."""
    began = time.monotonic()
    with HostileServer(Peer.wait) as server:
        clients = Clients(server.url, SystemClock(), SHORT)
        with pytest.raises(Unreachable) as lost:
            clients.obs.append("ges/journal-1.jsonl", 0, b"x" * 64 * MEGABYTE)
    assert time.monotonic() - began < GENEROUS
    assert lost.value.may_have_acted


# Too large.


def floods(head: bytes, piece: bytes) -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(head)
        peer.flood(itertools.repeat(piece))

    return behave


CHUNKED = response(b"", length=False, headers=[("Transfer-Encoding", "chunked")])
FLOODS = {
    "body": floods(HEAD, b" " * 65536),
    "announced": floods(response(b"", length=False, headers=[("Content-Length", str(10**12))]), b" " * 65536),
    "chunks": floods(CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n"),
    "tiny chunks": floods(CHUNKED, b"1\r\n \r\n" * 10_000),
    "chunk extension": floods(CHUNKED + b"1;", b"x" * 65536),
    "trailers": floods(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n" * 10_000),
    "headers": floods(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 10_000),
    "one header": floods(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65536),
    "status": floods(b"HTTP/1.1 200 ", b"y" * 65536),
    "100 continue": floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
}


@pytest.mark.parametrize("behave", FLOODS.values(), ids=FLOODS)
def test_flood_is_cut(behave: Behaviour) -> None:
    began = time.monotonic()
    with HostileServer(behave) as server:
        found = outcomes(server.url, ("upgrade", "read", "append"))
    assert time.monotonic() - began < GENEROUS
    assert all(is_lost(one, name) for name, one in found.items()), found
    assert max(peer.sent for peer in server.peers) < 16 * MEGABYTE + BUFFERS


def zipped(layers: int) -> bytes:
    """1 MB, which unpacks to 1 GB, packed again for each further layer."""
    body = gzip.compress(bytes(16 * MEGABYTE)) * 64
    for _ in range(layers - 1):
        body = gzip.compress(body)
    return body


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    bodies = {"gzip": zipped(1), "gzip, gzip": zipped(2)}
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(bodies["gzip"]), bodies["gzip"])
    headers = [("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")]
    return {
        **{coding: response(body, headers=[("Content-Encoding", coding)]) for coding, body in bodies.items()},
        "chunked": response(chunk, length=False, headers=headers),
    }


@pytest.mark.parametrize("kind", ["gzip", "gzip, gzip", "chunked"])
def test_bomb_is_not_unpacked(kind: str, bombs: dict[str, bytes]) -> None:
    with HostileServer(answering(bombs[kind])) as server:
        clients = Clients(server.url, VirtualClock(NOW), HOUR)
        tracemalloc.start()
        try:
            found = {name: outcome(clients, name) for name in ("upgrade", "read")}
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert all(is_lost(found[name], name) for name in found), found
    assert "larger than 16 MB" in str(found["upgrade"])
    assert peak < 80 * MEGABYTE


def test_unasked_gzip_is_read() -> None:
    body = gzip.compress(json.dumps({"job_id": "job-1"}).encode())
    with HostileServer(answering(response(body, headers=[("Content-Encoding", "gzip")]))) as server:
        assert Clients(server.url, VirtualClock(NOW), HOUR).call("upgrade") == "job-1"


# Broken off.

NORMAL = {
    "list_graphs": response(b'{"graph_count": 0, "graphs": []}', headers=[("Content-Type", "application/json")]),
    "upgrade": response(b'{"job_id": "job-1"}', headers=[("X-Request-Id", "1")]),
    "publish": response(b'{"message_id": "m"}'),
    "invoke": response(b'{"request_id": "r"}', status="202 Accepted"),
    "read": response(b"one\ntwo\n", headers=[("x-obs-next-append-position", "8")]),
    "append": response(b"", headers=[("x-obs-next-append-position", "4")]),
    "engine": response(b'{"errorCode": "GES.8601"}', status="500 Internal Server Error"),
}


@pytest.mark.parametrize("resets", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("name", NORMAL)
def test_early_close_is_lost_at_every_byte(name: str, resets: bool) -> None:
    end = 0

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(NORMAL[name][:end])
        if resets:
            peer.reset()

    with HostileServer(behave) as server:
        clients = Clients(server.url, VirtualClock(NOW), HOUR)
        for end in range(0, len(NORMAL[name]), 1 if name in ACTING else 3):
            found = outcome(clients, name)
            assert is_lost(found, name), (end, found)


@pytest.mark.parametrize("whole", [b"one\ntwo\n", b"one\n"], ids=["whole", "cut"])
def test_body_without_length_must_be_whole(whole: bytes) -> None:
    """Nothing but OBS's own header says where such a body ends. A part would be taken for the journal."""
    answer = response(whole, length=False, headers=[("x-obs-next-append-position", "8")])
    with HostileServer(answering(answer)) as server:
        found = outcome(Clients(server.url, VirtualClock(NOW), HOUR), "read")
    assert found == whole if len(whole) == 8 else found.code == "unreadable"


def test_reset_at_once_is_unreachable() -> None:
    """Whether anything was sent is then a matter of microseconds."""
    with HostileServer(Peer.reset) as server:
        clients = Clients(server.url, VirtualClock(NOW), HOUR)
        found = {name: outcome(clients, name) for name in CALLS}
    assert {name for name in CALLS if not (isinstance(found[name], Unreachable) or found[name] == "")} == set()


# Nonsense.

STATUSES = [
    "000 x",
    "99 x",
    "103 Early Hints",
    "204 No Content",
    "304 Not Modified",
    "600 x",
    "700 x",
    "999 x",
    "1000 x",
    "abc",
]
LOCATIONS = ["http://[", "//[", "http://x:y", "javascript:alert(1)", "http://" + "a" * 70 + ".x", "\xff\xfe", "", "http://\xad"]
CHARSETS = ["idna", "utf-7", "punycode", "unicode_escape", "base64", "zlib_codec", "undefined", "utf-16", "x" * 1000, "\xff"]
CODINGS = ["gzip", "deflate", "br", "zstd", "x-gzip", "compress", "gzip, gzip, gzip, gzip, gzip, gzip, gzip", "identity, x"]
TEXTS = [
    *(b"", b" ", b"null", b"[]", b'"x"', b"{", b"{}}", b"\xff\xfe", b"\x00", b"{'a': 1}", b'\xef\xbb\xbf{"job_id": "job-1"}'),
    *(b'{"graphs": NaN}', b'{"graph_count": 1e999}', b'{"graph_count": -Infinity}', b'{"a": ' + b"9" * 5000 + b"}"),
    *(b"[" * 200_000, b'{"a":' * 200_000, b'{"errors": ' + b"[" * 900 + b"]" * 900 + b"}"),
    *(b'{"job_id": "\\ud800"}', b'{"error_code": ["x"], "error_msg": {"x": 1}}', b'{"errors": [5]}', b'{"errors": [[]]}'),
    b'{"graph_count": -1, "graphs": [5, null, {}, {"id": []}, {"id": "."}, {"id": "\\udfff", "tags": [5, {"key": []}]}]}',
    b'{"graph_count": true, "graphs": [{"id": 7, "data_store_version": 5, "status": [], "sys_tags": 5, "tags": {"a": [[]]}}]}',
]
GARBAGE = {
    **{f"status {text}": response(status=text) for text in STATUSES},
    **{f"location {text!r}": response(status="302 Found", headers=[("Location", text)]) for text in LOCATIONS},
    **{
        f"charset {text[:20]!r}": response(b"{\xff}", headers=[("Content-Type", f"text/x; charset={text}")])
        for text in CHARSETS
    },
    **{f"coding {text}": response(b"not packed", headers=[("Content-Encoding", text)]) for text in CODINGS},
    **{f"text {text[:20]!r}": response(text) for text in TEXTS},
    **{f"refused {text[:20]!r}": response(text, status="400 Bad Request") for text in TEXTS},
    "no http": b"SSH-2.0-OpenSSH_9.6\r\n",
    "version": b"HTTP/9.9 200 OK\r\n\r\n{}",
    "zeros": bytes(1000),
    "negative length": response(length=False, headers=[("Content-Length", "-5")]),
    "odd length": response(length=False, headers=[("Content-Length", "1x")]),
    "two lengths": response(length=False, headers=[("Content-Length", "2"), ("Content-Length", "3")]),
    "bad chunk": CHUNKED + b"zz\r\n",
    "negative chunk": CHUNKED + b"-1\r\n{}\r\n",
    "huge chunk": CHUNKED + b"f" * 30 + b"\r\n{}",
    "length and chunks": response(b"2\r\n{}\r\n0\r\n\r\n", headers=[("Transfer-Encoding", "chunked")]),
    "no colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n{}",
    "folded": b"HTTP/1.1 200 OK\r\nX: y\r\n z\r\nContent-Length: 2\r\n\r\n{}",
    "cookie": response(headers=[("Set-Cookie", "a=b; expires=\xff; domain=..; path=\x00"), ("Set-Cookie2", ";;;=")]),
    "retry after": response(status="429 x", headers=[("Retry-After", "9" * 400)]),
    "retry before": response(status="503 x", headers=[("Retry-After", "-1")]),
    "smuggled": response() + response(b'{"job_id": "forged"}'),
}


def is_honest(found: Any, name: str) -> bool:
    """Whether it is what the documents give, or a CloudError that does not claim that nothing was done without knowing."""
    if not isinstance(found, CloudError):
        return name not in ("upgrade", "create_backup", "publish") or (isinstance(found, str) and found != "")
    refused = found.status is not None and 400 <= found.status < 500 and found.status != 408
    return name not in ACTING or refused or found.may_have_acted


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
def test_nonsense_is_never_a_crash(answer: bytes) -> None:
    with HostileServer(answering(answer)) as server:
        clients = Clients(server.url, VirtualClock(NOW), HOUR)
        found = {name: outcome(clients, name) for name in CALLS}
    assert {name: one for name, one in found.items() if not is_honest(one, name)} == {}


@pytest.fixture(scope="module")
def parrot() -> Iterator[tuple[HostileServer, list[bytes]]]:
    """Says what stands in its list."""
    answer: list[bytes] = []

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(answer[0])

    with HostileServer(behave) as server:
        yield server, answer


PIECES = st.sampled_from(
    [*NORMAL.values(), b"HTTP/1.1 ", b"\r\n", b"200 OK", b"Transfer-Encoding: chunked", b"Location: ", b"{", b"["]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(PIECES, st.binary(max_size=20)), max_size=6), st.sampled_from(sorted(CALLS)))
def test_any_bytes_are_survived(parrot: tuple[HostileServer, list[bytes]], pieces: list[bytes], name: str) -> None:
    server, answer = parrot
    answer[:] = [b"".join(pieces)]
    found = outcome(Clients(server.url, VirtualClock(NOW), HOUR), name)
    assert is_honest(found, name), found


@pytest.mark.parametrize("name", ["upgrade", "create_backup", "publish"])
@pytest.mark.parametrize("body", [b"", b"{}", b'{"request_id": "r"}', b'{"job_id": null, "message_id": ""}'])
def test_success_without_its_id_proves_nothing(name: str, body: bytes) -> None:
    with HostileServer(answering(response(body))) as server, pytest.raises(CloudError) as failed:
        Clients(server.url, VirtualClock(NOW), timedelta(minutes=1)).call(name)
    assert failed.value.may_have_acted


def test_redirect_is_not_followed() -> None:
    with HostileServer(answering(response(b'{"job_id": "job-1"}'))) as target:
        moved = response(b"", status="307 Temporary Redirect", headers=[("Location", target.url)])
        with HostileServer(answering(moved)) as server:
            found = outcome(Clients(server.url, VirtualClock(NOW), HOUR), "upgrade")
        assert (found.code, found.status, found.may_have_acted) == ("HTTP-307", 307, True)
        assert target.peers == []


def test_cookies_are_not_kept() -> None:
    seen: list[bytes] = []

    def behave(peer: Peer) -> None:
        seen.append(peer.read_request())
        peer.send(response(headers=[("Set-Cookie", "session=1; path=/"), ("Connection", "close")]))

    with HostileServer(behave) as server:
        clients = Clients(server.url, VirtualClock(NOW), HOUR)
        for _ in range(2):
            outcome(clients, "publish")
    assert len(seen) == 2
    assert not any(b"cookie" in request.lower() for request in seen)


@pytest.mark.parametrize("charset", ["gbk", "utf-16", "idna"])
def test_bodies_are_utf8_whatever_is_named(charset: str) -> None:
    body = '{"job_id": "job-1", "name": "图库"}'.encode() + b"\n"
    answer = response(body, headers=[("Content-Type", f"application/json; charset={charset}")])
    with HostileServer(answering(answer)) as server:
        assert Clients(server.url, VirtualClock(NOW), HOUR).call("upgrade") == "job-1"


@pytest.mark.parametrize(
    ("escaped", "shown"),
    [
        (r"half \ud800 of it", "half � of it"),
        (r"\udc00\ud800", "��"),
        (r"\ud83d\ude00", "😀"),
        (r"\\ud800", r"\ud800"),
        (r"\\\ud800", "\\�"),
        (r"a\"\ud800", 'a"�'),
    ],
)
def test_half_surrogates_are_replaced(escaped: str, shown: str) -> None:
    body = f'{{"job_id": "job-1", "status": "failed", "fail_reason": "{escaped}"}}'.encode()
    with HostileServer(answering(response(body))) as server:
        job = Clients(server.url, VirtualClock(NOW), HOUR).call("show_job")
    assert job.fail_reason == shown


def test_no_secret_that_is_echoed_gets_out() -> None:
    """In the status line, the headers and the body, with every status."""
    secrets = " ".join(SECRETS)
    answers = [
        f"HTTP/1.1 {secrets}\r\n\r\n".encode(),
        response(secrets.encode(), status=f"500 {secrets}", headers=[("X-Request-Id", secrets), ("Location", secrets)]),
        response(f"<Error><Message>{secrets}</Message></Error>".encode(), status="403 Forbidden"),
        response(secrets.encode()),
    ]
    for answer in answers:
        with HostileServer(answering(answer)) as server:
            clients = Clients(server.url, VirtualClock(NOW), HOUR)
            for name in CALLS:
                found = outcome(clients, name)
                shown = f"{found} {found!r} {vars(found)}" if isinstance(found, CloudError) else ""
                known = SECRETS if name != "engine" else SECRETS[2:]
                assert not any(secret in shown for secret in known), shown
