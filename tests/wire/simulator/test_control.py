"""The control API and the page at `/`, in the eyes of somebody with curl; the examples of the documents are run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from huaweicloud_simulator import Cloud, VirtualClock, demo, serve
from huaweicloud_simulator.control.api import ENDPOINTS
from huaweicloud_simulator.server import Server
from tests.builders import NOW
from tests.cli.commands import run
from tests.wire.simulator.services.test_runtime import deployed, timer

DOCUMENT = Path(__file__).parents[3] / "docs" / "simulator.md"


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud(VirtualClock(NOW))
    demo.add_fleet(cloud)
    return cloud


@pytest.fixture
def server(cloud: Cloud) -> Iterator[Server]:
    with serve(cloud) as running:
        yield running


def ask(server: Server, method: str, path: str, body: object = None) -> Any:
    answer = requests.request(method, f"{server.url}{path}", json=body, timeout=30)
    return answer.json() if answer.ok else (answer.status_code, answer.json()["error"])


def test_page_says_how_to_reach_it(server: Server) -> None:
    page = requests.get(server.url, timeout=10)
    assert page.headers["Content-Type"].startswith("text/html")
    assert f"HUAWEICLOUD_SDK_REGION_GES_CN_NORTH_4={server.url}" in page.text
    for endpoint in ENDPOINTS:
        assert endpoint in page.text


def test_advancing_the_clock_fires_timers(cloud: Cloud, server: Server) -> None:
    timer(deployed(cloud), "1h")
    assert ask(server, "POST", "/_control/clock", {"advance": "2h"}) == {"now": "2026-11-23T04:00:00+00:00"}
    assert [run["event"]["trigger_name"] for run in ask(server, "GET", "/_control/runs")] == ["hourly"] * 2
    later = ask(server, "POST", "/_control/clock", {"set": "2026-11-24T00:00:00Z"})
    assert later == ask(server, "GET", "/_control/clock") == {"now": "2026-11-24T00:00:00+00:00"}


def test_real_clock_cannot_be_set() -> None:
    with serve(Cloud()) as server:
        assert ask(server, "POST", "/_control/clock", {"advance": "1h"})[0] == 400


def test_seed_replaces_a_reset_cloud(cloud: Cloud, server: Server) -> None:
    ask(server, "POST", "/_control/reset")
    assert ask(server, "GET", "/_control/graphs") == []
    fleet = {"graphs": [{"name": "orders", "version": "2.4.9", "tags": {"env": "prod"}}], "versions": ["2.4.15"]}
    assert ask(server, "POST", "/_control/seed", fleet) == {"graphs": 1}
    (graph,) = ask(server, "GET", "/_control/graphs")
    assert (graph["name"], graph["version"], cloud.ges.releases) == ("orders", "2.4.9", {"2.4.15"})
    assert cloud.clock.now() == NOW


def test_exported_fleet_seeds_the_cloud(server: Server) -> None:
    exported = run("fleet", "export", "--simulator").stdout
    ask(server, "POST", "/_control/reset")
    answer = requests.post(f"{server.url}/_control/seed", data=exported.encode(), timeout=10)
    assert (answer.status_code, answer.json()) == (200, {"graphs": 8})
    assert {one["version"] for one in ask(server, "GET", "/_control/graphs")} == {"2.3.18", "2.4.4", "2.4.9", "2.4.15"}


@pytest.mark.parametrize("body", ["- a list", "graphs: [", "graphs: 3"])
def test_wrong_fleet_is_refused(server: Server, body: str) -> None:
    answer = requests.post(f"{server.url}/_control/seed", data=body.encode(), timeout=10)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_operators_act_on_graphs(server: Server) -> None:
    assert ask(server, "POST", "/_control/graphs/orders/stop")["status"] == "901"
    ask(server, "POST", "/_control/clock", {"advance": "1h"})
    assert ask(server, "POST", "/_control/graphs/orders/start")["status"] == "920"
    assert ask(server, "POST", "/_control/graphs/fraud/change", {"version": "2.4.16"})["version"] == "2.4.16"
    assert ask(server, "POST", "/_control/graphs/orders/rollback")[0] == 400
    assert ask(server, "POST", "/_control/graphs/nowhere/stop") == (404, "there is no graph nowhere")
    ask(server, "POST", "/_control/graphs/scratch/delete")
    assert "scratch" not in {graph["name"] for graph in ask(server, "GET", "/_control/graphs")}


def test_mail_arrives_once_confirmed(cloud: Cloud, server: Server) -> None:
    topic = cloud.topic(demo.NOTIFY_TOPIC)
    assert topic is not None
    topic.subscribe("email", "ops@example.com")
    for _ in range(2):
        ask(server, "POST", "/_control/topics/ges-upgrades/publish", {"subject": "s", "message": "m"})
        ask(server, "POST", "/_control/subscriptions", {"endpoint": "ops@example.com"})
    assert [one["text"] for one in ask(server, "GET", "/_control/outbox")] == ["m"]
    assert len(ask(server, "GET", "/_control/messages")) == 2


def test_fault_strikes_until_it_is_cleared(server: Server) -> None:
    ask(server, "POST", "/_control/faults", {"operation": "*", "fault": "html", "times": None, "arguments": {"status": 502}})
    url = f"{server.url}/v2/{demo.PROJECT_ID}/graphs"
    assert requests.get(url, timeout=10).status_code == 502
    ask(server, "DELETE", "/_control/faults")
    assert requests.get(url, timeout=10).status_code == 401
    assert [one["status"] for one in ask(server, "GET", "/_control/calls?operation=ges.*")] == [502, 401]
    assert ask(server, "POST", "/_control/faults", {"fault": "gremlins"})[0] == 400


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/_control/nothing"), ("POST", "/_control/graphs"), ("PUT", "/_control/clock")]
)
def test_unknown_endpoint_is_refused(server: Server, method: str, path: str) -> None:
    assert ask(server, method, path)[0] == 404


def examples() -> list[list[str]]:
    text = DOCUMENT.read_text(encoding="utf-8").replace("\\\n", " ")
    return [shlex.split(line) for line in re.findall(r"^curl .*$", text, re.MULTILINE)]


def test_examples_of_the_document_work(server: Server) -> None:
    assert len(examples()) >= 8
    for words in examples():
        method = words[words.index("-X") + 1] if "-X" in words else "POST" if "-d" in words else "GET"
        body = words[words.index("-d") + 1].encode() if "-d" in words else b""
        (url,) = [word for word in words if "localhost:8080" in word]
        answer = requests.request(method, url.replace("http://localhost:8080", server.url), data=body, timeout=30)
        assert answer.ok, (words, answer.text)


def test_document_names_every_endpoint() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [endpoint for endpoint in ENDPOINTS if f"`{endpoint}`" not in text] == []
