"""A server on loopback that does to each connection what a test says, in raw bytes, with or without TLS."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from types import TracebackType


class Peer:
    """One connection, at the server. `stopped` is set when the test is over, so that nothing waits for long."""

    def __init__(self, connection: socket.socket, stopped: threading.Event) -> None:
        self.connection = connection
        self.stopped = stopped
        self.sent = 0

    def read_request(self) -> bytes:
        """The whole request; a part of it if the client goes away."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += (more := self.connection.recv(65536))
            if not more:
                return data
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        while lengths and len(body) < int(lengths[0]):
            body += (more := self.connection.recv(65536))
            if not more:
                break
        return head + b"\r\n\r\n" + body

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)
        self.sent += len(data)

    def drip(self, data: bytes, pause: float = 0.05) -> None:
        """A byte now and then."""
        for byte in data:
            if self.stopped.wait(pause):
                return
            self.send(bytes([byte]))

    def flood(self, pieces: Iterable[bytes]) -> None:
        """As fast as the client reads, until it goes away."""
        for piece in pieces:
            if self.stopped.is_set():
                return
            self.send(piece)

    def wait(self) -> None:
        """Says nothing until the test is over."""
        self.stopped.wait(60)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


Behaviour = Callable[[Peer], None]


class HostileServer:
    """A running server, as a context manager. `url` is its address, `peers` are the connections that it had."""

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self._behave, self._tls = behave, tls
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.peers: list[Peer] = []

    def __enter__(self) -> HostileServer:
        self._threads[0].start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            peer = Peer(connection, self._stopped)
            self.peers.append(peer)
            self._behave(peer)
        except OSError:
            pass  # the client went away, which is what most tests want to see
        finally:
            connection.close()


def answering(answer: bytes) -> Behaviour:
    """Reads the request, sends these bytes and closes."""

    def behave(peer: Peer) -> None:
        peer.read_request()
        peer.send(answer)

    return behave


def response(
    body: bytes = b"{}", status: str = "200 OK", length: bool = True, headers: Iterable[tuple[str, str]] = ()
) -> bytes:
    """The bytes of an answer."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
    lines += [f"Content-Length: {len(body)}"] if length else []
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
