"""What other operators do on the console or by API, as a client sees it (ges.md 3, 4.2 and 6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from huaweicloud_simulator import Graph, Operation
from huaweicloud_simulator.ges.operations import KINDS
from tests.wire.simulator.site import Site

MINUTE, MONTH = timedelta(minutes=1), timedelta(days=30)


@pytest.fixture
def site() -> Site:
    return Site()


def test_rollback_restores_version_and_data(site: Site) -> None:
    site.graph.vertices, site.graph.edges = 10, 20
    site.upgraded(100)
    site.graph.vertices, site.graph.edges = 11, 22
    site.graph.roll_back(MINUTE)
    assert site.seen() == ("203", "2.4.15")
    site.clock.sleep(59)
    assert site.seen() == ("203", "2.4.15")
    site.clock.sleep(1)
    assert site.seen() == ("200", "2.4.9")
    assert site.ask_engine("summary").json()["data"] == {"vertexNum": 10, "edgeNum": 20}


def test_rollback_shows_in_job_centre(site: Site) -> None:
    site.upgraded(100)
    site.graph.roll_back(MINUTE)
    site.clock.sleep(60)
    assert [(job["job_name"], job["status"]) for job in site.jobs()] == [
        ("UpgradeGraph", "success"),
        ("RollbackGraph", "success"),
    ]


def test_upgrade_during_rollback_is_refused(site: Site) -> None:
    site.upgraded(100)
    site.graph.roll_back(MINUTE)
    refused = site.ask("POST", "/v2/{p}/graphs/{g}/upgrade", {"upgrade_version": "2.4.15"})
    assert refused.json()["error_code"] == "GES.7001"


def test_upgrade_after_rollback_works(site: Site) -> None:
    site.upgraded(100)
    site.graph.roll_back(MINUTE)
    site.clock.sleep(60)
    site.upgraded(100)
    assert site.seen() == ("200", "2.4.15")


def test_rollback_works_on_last_day(site: Site) -> None:
    site.upgraded(100)
    site.clock.sleep(MONTH.total_seconds())
    site.graph.roll_back(MINUTE)
    assert site.seen() == ("203", "2.4.15")


def _from_old_version(site: Site) -> None:
    site.graph.version = "2.4.0"
    site.cloud.release("2.4.3")
    site.ask("POST", "/v2/{p}/graphs/{g}/upgrade", {"upgrade_version": "2.4.3"})
    site.clock.sleep(3600)


def _rolled_back(site: Site) -> None:
    site.upgraded(100)
    site.graph.roll_back(MINUTE)
    site.clock.sleep(60)


def _stopped(site: Site) -> None:
    site.upgraded(100)
    site.graph.status = "900"


def _too_late(site: Site) -> None:
    site.upgraded(100)
    site.clock.sleep(MONTH.total_seconds() + 1)


NO_ROLLBACK: dict[str, tuple[Callable[[Site], object], str]] = {
    "never upgraded": (lambda _: None, "was not upgraded"),
    "upgrade in progress": (lambda site: site.upgraded(50), "was not upgraded"),
    "upgrade failed": (lambda site: site.upgraded(200, "failed"), "was not upgraded"),
    "31st day": (_too_late, "was not upgraded"),
    "rolled back before": (_rolled_back, "was not upgraded"),
    "stopped": (_stopped, "status of demo is 900"),
    "version before 2.4.4": (_from_old_version, "only 2.4.4 and later"),
}


@pytest.mark.parametrize("case", NO_ROLLBACK)
def test_rollback_is_refused_as_on_console(site: Site, case: str) -> None:
    prepare, message = NO_ROLLBACK[case]
    prepare(site)
    before = site.seen()
    with pytest.raises(ValueError, match=message):
        site.graph.roll_back()
    assert site.seen() == before


@pytest.mark.parametrize("operation", KINDS)
def test_operation_shows_status_and_job(site: Site, operation: Operation) -> None:
    kind = KINDS[operation]
    site.graph.status = kind.allowed_in[0]
    job = site.graph.operate(operation, MINUTE)
    assert site.seen() == (kind.status, "2.4.9")
    refused = site.ask("POST", "/v2/{p}/graphs/{g}/upgrade", {"upgrade_version": "2.4.15"})
    codes = ("GES.7042",) if operation == "CreateGraph" else ("GES.7001", "GES.7003")
    assert refused.json()["error_code"] in codes
    site.clock.sleep(59)
    assert [(one["job_name"], one["status"]) for one in site.jobs()] == [(operation, "running")]
    site.clock.sleep(1)
    assert site.seen() == (kind.leaves, "2.4.9")
    assert site.ask("GET", f"/v2/{{p}}/graphs/{{g}}/jobs/{job.id}/status").json()["status"] == "success"


def test_failed_operation_changes_nothing(site: Site) -> None:
    site.graph.operate("StopGraph", MINUTE, "failed")
    assert site.seen() == ("901", "2.4.9")
    site.clock.sleep(60)
    assert site.seen() == ("200", "2.4.9")
    (job,) = site.jobs()
    assert (job["status"], job["fail_reason"]) == ("failed", "The underlying graph engine has internal error.")


def test_cleared_graph_is_empty(site: Site) -> None:
    site.graph.operate("ClearGraph", MINUTE)
    site.clock.sleep(60)
    assert site.ask_engine("summary").json()["data"] == {"vertexNum": 0, "edgeNum": 0}


def test_restart_makes_running_operation_fail(site: Site) -> None:
    site.graph.operate("ExportGraph", MINUTE)
    site.clock.sleep(10)
    site.graph.operate("RestartGraph", MINUTE)
    assert [(job["job_name"], job["status"]) for job in site.jobs()] == [("ExportGraph", "failed"), ("RestartGraph", "pending")]
    site.clock.sleep(59)
    assert site.seen() == ("920", "2.4.9")


def test_impossible_operation_is_refused(site: Site) -> None:
    site.graph.operate("ExportGraph", MINUTE)
    for operation in KINDS.keys() - {"RestartGraph"}:
        with pytest.raises(ValueError, match=f"{operation} is not possible while the status of demo is 204"):
            site.graph.operate(operation)


def _export(graph: Graph) -> None:
    graph.operate("ExportGraph").name = None


def _backup(graph: Graph) -> None:
    graph.begin_backup()[0].name = None


@pytest.mark.parametrize("act", [_export, _backup])
def test_job_may_have_no_name(site: Site, act: Callable[[Graph], None]) -> None:
    act(site.graph)
    (job,) = site.jobs()
    assert "job_name" not in job
    assert job["related_graph"] == "demo"


def test_manual_status_ends_operation(site: Site) -> None:
    site.graph.operate("StopGraph", MINUTE)
    site.graph.status = "200"
    site.clock.sleep(60)
    assert site.seen() == ("200", "2.4.9")


def test_updated_time_follows_operations(site: Site) -> None:
    def updated() -> str:
        return str(site.ask("GET", "/v2/{p}/graphs/{g}").json()["graph"]["updated"])[11:]

    site.upgraded(100)
    assert updated() == "02:01:40"
    site.clock.sleep(20)
    site.graph.roll_back(MINUTE)
    assert updated() == "02:02:00"
    site.clock.sleep(600)
    assert updated() == "02:03:00"
