"""Whole runs of the handler beside servers that do not answer as they should: one odd project costs no other anything."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

import index
from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, serve
from huaweicloud_simulator.faults import Fault
from huaweicloud_simulator.wire import Response
from tests.builders import PROJECT_ID, TOPIC
from tests.wire.hostile import Behaviour, HostileServer, Peer, answering, response

ELSEWHERE = "f" * 32
POLICY = f"notify: {TOPIC}\nreleases: [{{version: 2.4.15}}]\nrules: [{{max_concurrent: 5}}]\n"
BOTH = (
    POLICY + f"projects: [{{region: cn-east-3, project_id: {ELSEWHERE}}}, {{region: cn-north-4, project_id: {PROJECT_ID}}}]\n"
)
RECONCILE = {"command": "reconcile"}


class Context:
    """FunctionGraph's, of a run that ends after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def getProjectID(self) -> str:
        return PROJECT_ID

    def getRemainingTimeInMilliSeconds(self) -> int:
        return int((self._end - time.monotonic()) * 1000)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Served, in cn-north-4."""
    cloud = Cloud()
    cloud.upgrade_duration = timedelta(seconds=0.5)
    cloud.release("2.4.15")
    cloud.project("cn-north-4", PROJECT_ID).topic("ges-upgrades")
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with serve(cloud) as server:
        for name, value in server.environment("cn-north-4").items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HUAWEICLOUD_SDK_AK", ACCESS_KEY)
        monkeypatch.setenv("HUAWEICLOUD_SDK_SK", SECRET_KEY)
        monkeypatch.setenv("POLICY", POLICY)
        yield cloud


@contextmanager
def hostile(behave: Behaviour, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostileServer]:
    """GES of cn-east-3, whose project the policy names first."""
    with HostileServer(behave) as server:
        monkeypatch.setenv("HUAWEICLOUD_SDK_REGION_GES_CN_EAST_3", server.url)
        monkeypatch.setenv("POLICY", BOTH)
        yield server


def drips(peer: Peer) -> None:
    peer.read_request()
    peer.send(response(b"", length=False, headers=[("Content-Length", "60000")]))
    peer.drip(b" " * 60_000)


ODD: dict[str, Behaviour] = {
    "redirect": answering(response(b"", status="302 Found", headers=[("Location", "http://[")])),
    "charset idna": answering(response(b"{\xff", headers=[("Content-Type", "text/html; charset=idna")])),
    "bomb": answering(response(gzip.compress(bytes(2**24)) * 2, headers=[("Content-Encoding", "gzip")])),
    "endless": lambda peer: peer.flood(iter(lambda: b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, None)),
    "drips": drips,
    "silent": Peer.wait,
}


@pytest.mark.parametrize("behave", ODD.values(), ids=ODD)
def test_odd_project_costs_no_other(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, behave: Behaviour) -> None:
    graph = cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.4")
    began = time.monotonic()
    with hostile(behave, monkeypatch):
        result = index.handler(RECONCILE, Context(9))
    assert time.monotonic() - began < 60
    assert [one["outcome"] for one in result["outcomes"]] == ["succeeded"], result
    assert graph.version == "2.4.15"
    (error,) = (error for error in result["errors"] if error.startswith("ges list_graphs in cn-east-3: "))
    assert error.endswith(f"; nothing was started in project {ELSEWHERE}")


ANSWERS = {
    "redirect": Response(302, b"", {"Location": "http://["}),
    "charset": Response(200, b'{"job_id": "\xff"}', {"Content-Type": "text/x; charset=idna"}),
    "half a surrogate": Response(200, b'{"job_id": "\\ud800"}', {"Content-Type": "application/json"}),
    "bomb": Response(200, gzip.compress(bytes(2**24 + 1)), {"Content-Encoding": "gzip"}),
    "no gzip": Response(200, b"no gzip", {"Content-Encoding": "gzip"}),
    "length": Response(200, b"{}", {"Content-Length": "1000"}),
    "nothing": Response(200, b""),
    "fault": Response(400, json.dumps({"error_code": "GES.7006", "error_msg": "odd"}).encode()),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_odd_answer_to_an_upgrade_starts_one(cloud: Cloud, answer: Response) -> None:
    cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.4")
    cloud.fault("ges.upgrade_graph", Fault("odd", acts=True, strike=lambda: answer))
    result = index.handler(RECONCILE, Context(30))
    assert [one["outcome"] for one in result["outcomes"]] == ["succeeded"], result
    assert len(cloud.upgrades) == 1


@pytest.mark.parametrize("behave", [drips, Peer.wait], ids=["drips", "silent"])
def test_run_ends_in_time_when_nothing_answers(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, behave: Behaviour) -> None:
    with HostileServer(behave) as server:
        for service in ("GES", "SMN", "OBS", "FUNCTIONGRAPH"):
            monkeypatch.setenv(f"HUAWEICLOUD_SDK_REGION_{service}_CN_NORTH_4", server.url)
        monkeypatch.setenv("POLICY", POLICY + "state: obs://state/ges\n")
        context = Context(6)
        result = index.handler(RECONCILE, context)
        left = context.getRemainingTimeInMilliSeconds()
    assert left > -20_000  # the machine may be busy; a run without a limit would take minutes
    assert result["decisions"] == []
    assert any(error.startswith("ges list_graphs") for error in result["errors"]), result["errors"]
    assert not any("fault of the function itself" in error for error in result["errors"])


@pytest.mark.parametrize("address", ["http://user:pa55w0rd@127.0.0.1:9", "127.0.0.1:9", "http://[", "https://" + "a" * 64])
def test_unusable_endpoint_is_an_error_without_its_password(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    for service in ("GES", "SMN", "OBS"):
        monkeypatch.setenv(f"HUAWEICLOUD_SDK_REGION_{service}_CN_NORTH_4", address)
    monkeypatch.setenv("POLICY", POLICY + "state: obs://state/ges\n")
    result = index.handler(RECONCILE, Context(30))
    assert any("ges list_graphs in cn-north-4: unusable (not sent)" in error for error in result["errors"]), result
    assert "pa55w0rd" not in json.dumps(result) + capsys.readouterr().out
