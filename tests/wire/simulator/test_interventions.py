"""Settings and acts that make a cloud inconvenient: each as a client meets it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from huaweicloud_simulator import faults
from tests.wire.simulator.site import Site

PAGES = ("?offset=0&limit=5", "?offset=5&limit=5", "?offset=10&limit=5")


@pytest.fixture
def site() -> Site:
    return Site()


def pages(site: Site) -> list[dict[str, Any]]:
    return [site.ask("GET", f"/v2/{{p}}/graphs{page}").json() for page in PAGES]


@pytest.mark.parametrize(
    ("status", "code"), [(403, "APIGW.0302"), (500, "GES.8302"), (502, "GES.7006")], ids=["403", "500", "502"]
)
def test_unreadable_job_shows_in_job_centre(site: Site, status: int, code: str) -> None:
    job_id = site.upgraded(100, "failed", fail_reason="Insufficient ECS quota.", unreadable=status)
    refused = site.ask("GET", f"/v2/{{p}}/graphs/{{g}}/jobs/{job_id}/status")
    assert (refused.status_code, refused.json()["error_code"]) == (status, code)
    (job,) = site.jobs()
    assert (job["job_id"], job["status"], job["fail_reason"]) == (job_id, "failed", "Insufficient ECS quota.")


def test_only_chosen_job_is_unreadable(site: Site) -> None:
    site.upgraded(200, "failed", unreadable=403)
    job_id = site.upgraded(100)
    assert site.ask("GET", f"/v2/{{p}}/graphs/{{g}}/jobs/{job_id}/status").json()["status"] == "success"


def test_deletion_between_pages_hides_a_graph(site: Site) -> None:
    others = [site.project.graph(f"graph_{number}") for number in range(10)]
    site.cloud.meanwhile("ges.list_graphs", lambda: site.project.delete(others[0]), where=faults.later_page)
    first, second, third = pages(site)
    assert (first["graph_count"], second["graph_count"]) == (11, 10)
    listed = {graph["name"] for page in (first, second, third) for graph in page["graphs"]}
    assert listed == {"demo", *(graph.name for graph in others)} - {others[4].name}
    assert others[4].id in site.project.graphs


def test_creation_between_pages_changes_total(site: Site) -> None:
    for number in range(10):
        site.project.graph(f"graph_{number}")
    site.cloud.meanwhile("ges.list_graphs", lambda: site.project.graph("late"), times=2, where=faults.later_page)
    assert [page["graph_count"] for page in pages(site)] == [11, 12, 13]


def test_act_happens_at_chosen_requests(site: Site) -> None:
    acts: list[str] = []
    site.cloud.meanwhile("ges.list_*", lambda: acts.append("a list"), times=1, after=1)
    site.cloud.meanwhile("ges.show_graph", lambda: acts.append("a graph"), times=None)
    for _ in range(3):
        site.jobs()
        site.seen()
    assert acts == ["a graph", "a list", "a graph", "a graph"]
    site.cloud.clear_faults()
    site.seen()
    assert len(acts) == 4


def test_act_happens_before_fault_strikes(site: Site) -> None:
    site.cloud.meanwhile("ges.show_graph", lambda: setattr(site.graph, "version", "2.4.10"))
    site.cloud.fault("ges.show_graph", faults.html())
    assert site.ask("GET", "/v2/{p}/graphs/{g}").status_code == 503
    assert site.graph.version == "2.4.10"


@pytest.mark.parametrize(("accepts", "expected"), [(False, (400, "GES.0001")), (True, (200, None))])
def test_unknown_version_is_refused_unless_accepted(site: Site, accepts: bool, expected: tuple[int, str | None]) -> None:
    site.cloud.ges.accepts_unknown_versions = accepts
    answer = site.ask("POST", "/v2/{p}/graphs/{g}/upgrade", {"upgrade_version": "8.0.28"})
    assert (answer.status_code, answer.json().get("error_code")) == expected


def engine_status(site: Site) -> int:
    return site.ask_engine("version").status_code


@pytest.mark.parametrize(("fate", "settled"), [("success", 100), ("failed", 125)])
def test_engine_needs_time_after_upgrade(site: Site, fate: str, settled: int) -> None:
    site.graph.engine_delay = timedelta(seconds=30)
    assert engine_status(site) == 200
    site.upgraded(settled, fate)
    assert (site.seen()[0], engine_status(site)) == ("200", 500)
    site.clock.sleep(29)
    assert site.ask_engine("version").json()["errorCode"] == "GES.8602"
    site.clock.sleep(1)
    assert engine_status(site) == 200


def test_engine_needs_time_after_restart_and_rollback(site: Site) -> None:
    site.upgraded(100)
    site.graph.engine_delay = timedelta(seconds=30)
    site.clock.sleep(30)
    acts: list[Callable[[], object]] = [lambda: site.graph.operate("RestartGraph"), lambda: site.graph.roll_back()]
    for act in acts:
        act()
        site.clock.sleep(300)
        assert (site.seen()[0], engine_status(site)) == ("200", 500)
        site.clock.sleep(30)
        assert engine_status(site) == 200


def test_export_keeps_engine_ready(site: Site) -> None:
    site.graph.engine_delay = timedelta(seconds=30)
    site.graph.operate("ExportGraph")
    site.clock.sleep(300)
    assert engine_status(site) == 200
