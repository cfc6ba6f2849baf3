"""The door on loopback: a WSGI app on Werkzeug's threaded server. All services share one address; the path decides.

Werkzeug gives the connection to the app, which must be able to close it without an answer.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterable
from email.utils import format_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from .clock import Clock, RealClock, VirtualClock, signing_times
from .cloud import Cloud
from .control.api import Control
from .functiongraph.runtime.platform import Platform
from .gateway.signature import signed_at
from .wire import NoAnswer, Request, Response

_REASONS = {status.value: status.phrase for status in HTTPStatus}
_SERVICES = ("GES", "SMN", "OBS", "IAM", "STS", "FUNCTIONGRAPH", "LTS", "CTS", "CES")


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    clock: Clock = RealClock()

    def log(self, type: str, message: str, *args: Any) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The header Date: the time in which the client lives, for one who measures how far its own clock is off."""
        signed = signed_at({name.lower(): value for name, value in getattr(self, "headers", {}).items()})
        times = signing_times(self.clock)
        now = times[0] if signed is None else min(times, key=lambda one: abs(one - signed))
        return format_datetime(now, usegmt=True)


class Server:
    """A context manager: the server runs inside it. `url` is its address."""

    def __init__(self, cloud: Cloud, port: int) -> None:
        self._cloud = cloud
        if isinstance(cloud.clock, VirtualClock):
            cloud.clock.is_served = True
        self._stopped = threading.Event()
        handler = type("Handler", (_Quiet,), {"clock": cloud.clock})
        self._server: BaseWSGIServer = make_server("127.0.0.1", port, self._app, threaded=True, request_handler=handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.platform = Platform(cloud.functions, self.environment)
        self._control = Control(cloud, self.url, lambda: self.platform, self._reset)

    def environment(self, region: str) -> dict[str, str]:
        """The SDK's endpoint variables for this server, with the one for its hidden look-up of the project."""
        suffix = region.upper().replace("-", "_")
        services = {f"HUAWEICLOUD_SDK_REGION_{service}_{suffix}": self.url for service in _SERVICES}
        return {**services, "HUAWEICLOUD_SDK_IAM_ENDPOINT": self.url}

    def __enter__(self) -> Server:
        self._thread.start()
        self._cloud.platform = self.platform
        self.platform.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._stopped.set()
        self.platform.stop()
        self._cloud.platform = None
        self._server.shutdown()
        self._server.server_close()

    def _reset(self) -> None:
        """Empties the cloud; its clock stays where it is."""
        self.platform.stop()
        self._cloud.empty()
        self.platform = self._cloud.platform = Platform(self._cloud.functions, self.environment)
        self.platform.start()

    def wait(self) -> None:
        """Waits until the server is stopped, or the process is interrupted."""
        self._thread.join()

    def _app(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            request = self._request(environ)
            response = (self._control if self._control.is_meant(request) else self._cloud).handle(request)
        except NoAnswer as none:
            if none.how == "timeout":
                self._stopped.wait(60)
            return self._hang_up(environ)
        except Exception as error:  # the test that met a fault of the simulator must see it
            response = Response(599, repr(error).encode(), {"Content-Type": "text/plain"})
        headers = {"Content-Length": str(len(response.body)), **response.headers}
        start_response(f"{response.status} {_REASONS.get(response.status, '-')}", list(headers.items()))
        return [response.body]

    def _request(self, environ: dict[str, Any]) -> Request:
        headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if environ.get(name):
                headers[name.replace("_", "-").lower()] = environ[name]
        return Request(
            method=environ["REQUEST_METHOD"],
            path=environ["REQUEST_URI"].partition("?")[0],
            query=dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)),
            headers=headers,
            body=environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)),
            at=self._cloud.clock.now(),
        )

    @staticmethod
    def _hang_up(environ: dict[str, Any]) -> Iterable[bytes]:
        """Resets the connection without an answer: a linger time of zero sends RST."""
        connection: socket.socket = environ["werkzeug.socket"]
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionError("hung up on purpose")


def serve(cloud: Cloud, port: int = 0) -> Server:
    """A server for the cloud, on a free port unless one is given."""
    return Server(cloud, port)
