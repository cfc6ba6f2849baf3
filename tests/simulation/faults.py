"""What strikes requests on their way: chances at each, outages of a service, and answers that no client should trust."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from huaweicloud_simulator.wire import Response

HOSTILE: tuple[Callable[[], Response], ...] = (
    lambda: Response(200, b""),
    lambda: Response(200, b"null", {"Content-Type": "application/json"}),
    lambda: Response(200, b'{"graphs": "none", "job_id": 7}', {"Content-Type": "application/json"}),
    lambda: Response(200, b'{"job_id": "../..', {"Content-Type": "application/json"}),
    lambda: Response(200, b'{"reason": "\xff\xfe"}', {"Content-Type": "text/plain; charset=idna"}),
    lambda: Response(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}),
    lambda: Response(302, b"", {"Location": "http://["}),
    lambda: Response(302, b"", {"Location": "https://console.huaweicloud.com/"}),
    lambda: Response(503, b"[" * 10_000),
)


@dataclass(frozen=True)
class Outage:
    """A service is out of reach for a while, or for requests of one method only: `how` as in Faults."""

    begins: datetime
    ends: datetime
    service: str
    method: str | None
    how: str


@dataclass
class Faults:
    """What goes wrong, until `until`: chances at each request, and times in which a service is out of reach in some way.

    `drop`: the request never arrives, and nobody answers; `lose`: it acts, and the answer is lost; `late`: it acts after the
    client gave up; `refuse`: no connection; `abort`: OBS met another operation; `hostile` and `hostile, acted`: an answer of
    HOSTILE instead of the service's; else the status of an answer that says no.
    """

    until: datetime
    kill: float
    lost: float
    refused: float
    hostile: float = 0.0
    outages: list[Outage] = field(default_factory=list)

    def of(self, service: str, method: str, now: datetime, random: Random) -> str:
        """What strikes a request, or nothing."""
        if now >= self.until:
            return ""
        for outage in self.outages:
            if outage.begins <= now < outage.ends and service == outage.service and outage.method in (None, method):
                return outage.how
        struck = random.random()
        if struck < self.lost:
            return random.choice(["lose"] * 14 + ["drop"] * 4 + ["late", "refuse"])
        if struck < self.lost + self.refused:
            return "abort" if service == "obs" and method == "POST" and random.random() < 0.2 else "429"
        if struck < self.lost + self.refused + self.hostile:
            return random.choice(["hostile", "hostile, acted"])
        return ""
