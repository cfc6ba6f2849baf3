"""Compares each answer of GES on the wire with the documents' example: the same names, the same types."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from huaweicloud_simulator import mock_huaweicloud
from tests.builders import NOW, PROJECT_ID
from tests.wire.conftest import payload
from tests.wire.simulator.site import Site


def shape(value: Any) -> Any:
    """Names and types without the values. A list stands for its first entry. None matches any type."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value[:1]]
    return None if value is None else type(value).__name__


def differences(found: Any, documented: Any, at: str = "") -> list[str]:
    """Fields of the documented shape that are missing or have another type. Further fields do not count."""
    if found is None or documented is None:
        return []
    if isinstance(documented, dict) and isinstance(found, dict):
        missing = [f"{at}.{name} is missing" for name in documented if name not in found]
        common = (name for name in documented if name in found)
        return missing + [one for name in common for one in differences(found[name], documented[name], f"{at}.{name}")]
    if isinstance(documented, list) and isinstance(found, list):
        return differences(found[0], documented[0], f"{at}[]") if found and documented else []
    return [] if found == documented else [f"{at} is {found}, not {documented}"]


@pytest.fixture
def site() -> Site:
    return Site()


def test_comparison_finds_missing_and_mistyped_fields() -> None:
    documented = shape({"a": 1, "b": [{"c": "x"}], "d": None})
    assert differences(shape({"a": 2, "b": [{"c": "y", "e": 1}], "d": 1}), documented) == []
    assert differences(shape({"a": "2", "b": [{}], "d": 1}), documented) == [".a is str, not int", ".b[].c is missing"]


# The documents spell one field in two ways (ges.md 9, D9).
ALLOWED = {"show_graph_v1": (), "list_graphs_v1": (".graphs[].enableFullTextIndex is missing",)}


@pytest.mark.parametrize(
    ("path", "example"),
    [
        ("/v2/{p}/graphs", "list_graphs_v2"),
        ("/v2/{p}/graphs/{g}", "show_graph_v2"),
        ("/v2/{p}/graphs/quotas", "quotas_v2"),
        ("/v1.0/{p}/graphs", "list_graphs_v1"),
        ("/v1.0/{p}/graphs/{g}", "show_graph_v1"),
        ("/v1.0/{p}/graphs/quotas", "quotas_v1"),
    ],
)
def test_read_answers_have_the_documented_shape(site: Site, path: str, example: str) -> None:
    found = site.ask("GET", path)
    assert found.status_code == 200
    assert differences(shape(found.json()), shape(payload(example))) == list(ALLOWED.get(example, ()))


def test_v2_graph_has_exactly_the_documented_fields(site: Site) -> None:
    assert set(site.ask("GET", "/v2/{p}/graphs/{g}").json()["graph"]) == set(payload("show_graph_v2")["graph"])
    site.graph.status = "100"
    assert set(site.ask("GET", "/v2/{p}/graphs/{g}").json()["graph"]) == set(payload("show_graph_v2_creating")["graph"])


@pytest.mark.parametrize(
    ("api", "seconds", "fate", "example"),
    [
        ("v2", 0, "success", "job_pending_v2"),
        ("v2", 50, "success", "job_running_v2"),
        ("v2", 100, "success", "job_success"),
        ("v2", 100, "failed", "job_failed"),
        ("v1.0", 100, "success", "job_success_v1"),
    ],
)
def test_job_has_exactly_the_documented_fields(site: Site, api: str, seconds: float, fate: str, example: str) -> None:
    job_id = site.upgraded(seconds, fate)
    found = site.ask("GET", f"/{api}/{{p}}/graphs/{{g}}/jobs/{job_id}/status").json()
    documented = payload(example)
    assert shape(found) == shape(documented)
    same = ("status", "job_type", "jobType", "job_name", "jobName", "related_graph", "relatedGraph", "fail_reason")
    assert {name: found.get(name) for name in same} == {name: documented.get(name) for name in same}


@pytest.mark.parametrize(
    ("api", "example", "allowed"),
    # Only imports have details. The documents' v1.0 example begins with an import (ges.md 4.2).
    [("v2", "jobs_list_v2", []), ("v1.0", "jobs_list_v1", [".jobList[].jobDetail is missing"])],
)
def test_job_centre_has_the_documented_shape(site: Site, api: str, example: str, allowed: list[str]) -> None:
    site.upgraded(100)
    found = site.ask("GET", f"/{api}/{{p}}/graphs/jobs").json()
    assert differences(shape(found), shape(payload(example))) == allowed


def test_times_are_utc_without_a_zone(site: Site) -> None:
    job = site.ask("GET", f"/v2/{{p}}/graphs/{{g}}/jobs/{site.upgraded(100)}/status").json()
    assert (job["begin_time"], job["end_time"]) == (f"{NOW:%Y-%m-%dT%H:%M:%S}", f"{site.clock.now():%Y-%m-%dT%H:%M:%S}")


@pytest.mark.parametrize("api", ["v2", "v1"])
def test_backups_have_the_documented_shape(site: Site, api: str) -> None:
    path = "v2" if api == "v2" else "v1.0"
    made = site.ask("POST", f"/{path}/{{p}}/graphs/{{g}}/backups")
    assert (made.status_code, shape(made.json())) == (200, shape(payload(f"backup_create_response_{api}")))
    site.clock.sleep(60)
    for listing in ("/graphs/backups", "/graphs/{g}/backups"):
        found = site.ask("GET", f"/{path}/{{p}}{listing}").json()
        assert differences(shape(found), shape(payload(f"backups_list_{api}"))) == []
    (backup,) = site.ask("GET", "/v2/{p}/graphs/backups").json()["backup_list"]
    assert backup["start_timestamp"] == int(NOW.timestamp() * 1000)
    assert backup["name"] == f"demo-{NOW:%Y%m%d%H%M%S}"
    gone = site.ask("DELETE", f"/{path}/{{p}}/graphs/{{g}}/backups/{backup['id']}")
    assert (gone.status_code, gone.json()) == (200, payload("backup_delete_response"))


@pytest.mark.parametrize("api", ["v2", "v1"])
def test_accepted_upgrade_has_the_documented_shape(site: Site, api: str) -> None:
    if api == "v2":
        found = site.ask("POST", "/v2/{p}/graphs/{g}/upgrade", {"upgrade_version": "2.4.15"})
    else:
        found = site.ask("POST", "/v1.0/{p}/graphs/{g}/action?action_id=upgrade", {"upgradeVersion": "2.4.15"})
    assert (found.status_code, shape(found.json())) == (200, shape(payload(f"upgrade_response_{api}")))


@pytest.mark.parametrize("api", ["v2", "v1"])
def test_unknown_objects_are_refused_as_documented(site: Site, api: str) -> None:
    path = "v2" if api == "v2" else "v1.0"
    graph = site.ask("GET", f"/{path}/{{p}}/graphs/none")
    assert (graph.status_code, graph.json()) == (400, payload(f"show_graph_error_{api}_not_found"))
    job_id = "ff808081646e81d40164c5fb414b2b1a1"
    job = site.ask("GET", f"/{path}/{{p}}/graphs/{{g}}/jobs/{job_id}/status")
    assert (job.status_code, job.json()) == (400, payload(f"job_not_found_{api}"))


def test_earlier_version_is_refused_as_documented(site: Site) -> None:
    found = site.ask("POST", "/v2/{p}/graphs/{g}/upgrade", {"upgrade_version": "2.4.9"})
    assert (found.status_code, found.json()) == (400, payload("upgrade_error_v2_lower_version"))


def test_ten_comes_after_nine(site: Site) -> None:
    """By text, 2.4.15 is earlier than 2.4.9 (ges.md 6)."""
    assert site.ask("POST", "/v2/{p}/graphs/{g}/upgrade", {"upgrade_version": "2.4.15"}).status_code == 200


def test_gateway_refusals_have_the_documented_shape(site: Site) -> None:
    unknown = site.ask("GET", "/v9/{p}/graphs")
    assert (unknown.status_code, shape(unknown.json())) == (404, shape(payload("apigw_404")))
    assert unknown.json()["error_msg"] == payload("apigw_404")["error_msg"]
    site.cloud.credentials("SOMEBODY", "secret")
    with mock_huaweicloud(site.cloud):
        refused = requests.get(f"https://ges.cn-north-4.myhuaweicloud.com/v2/{PROJECT_ID}/graphs", timeout=10)
    assert (refused.status_code, shape(refused.json())) == (401, shape(payload("apigw_401_iam")))
    assert refused.json()["error_code"] == payload("apigw_401_iam")["error_code"]


def test_third_spelling_of_errors_is_documented(site: Site) -> None:
    assert site.ask("GET", "/v1.0/{p}/graphs/jobs?status=done").json() == payload("jobs_list_error_v1_doc")
