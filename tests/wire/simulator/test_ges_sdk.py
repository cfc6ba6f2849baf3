"""The official GES clients, v1 and v2, make every call of the function and meet every shape of error."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, ConnectionException, ServerResponseException
from huaweicloudsdkges.v1 import GesClient as GesClientV1
from huaweicloudsdkges.v1 import model as v1
from huaweicloudsdkges.v2 import GesClient as GesClientV2
from huaweicloudsdkges.v2 import model as v2

from huaweicloud_simulator import Cloud, faults
from huaweicloud_simulator.server import Server
from tests.builders import PROJECT_ID
from tests.wire.conftest import payload


@pytest.fixture
def ges(server: Server, credentials: BasicCredentials) -> Any:
    return GesClientV2.new_builder().with_credentials(credentials).with_endpoint(server.url).build()


@pytest.fixture
def ges_v1(server: Server, credentials: BasicCredentials) -> Any:
    return GesClientV1.new_builder().with_credentials(credentials).with_endpoint(server.url).build()


def graph(cloud: Cloud, **fields: Any) -> Any:
    return cloud.project("cn-north-4", PROJECT_ID).graph("demo", **{"version": "2.4.4", "tags": {"env": "prod"}, **fields})


def upgrade(ges: Any, graph_id: str, version: str = "2.4.15", force: bool | None = None) -> Any:
    body = v2.UpgradeGraphReq(upgrade_version=version, force_upgrade=force)
    return ges.upgrade_graph2(v2.UpgradeGraph2Request(graph_id=graph_id, body=body))


def test_v2_lists_ten_graphs_by_default(cloud: Cloud, ges: Any) -> None:
    for number in range(12):
        cloud.project("cn-north-4", PROJECT_ID).graph(f"graph_{number}")
    page = ges.list_graphs2(v2.ListGraphs2Request())
    assert (page.graph_count, len(page.graphs)) == (12, 10)
    assert [one.name for one in ges.list_graphs2(v2.ListGraphs2Request(offset=10, limit=5)).graphs] == ["graph_10", "graph_11"]


def test_v2_shows_a_graph_to_the_sdk(cloud: Cloud, ges: Any) -> None:
    one = graph(cloud)
    shown = ges.show_graph2(v2.ShowGraph2Request(graph_id=one.id)).graph
    assert (shown.id, shown.name, shown.status, shown.data_store_version) == (one.id, "demo", "200", "2.4.4")
    assert [(tag.key, tag.value) for tag in shown.tags] == [("env", "prod")]


def test_v1_uses_its_own_spelling(cloud: Cloud, ges_v1: Any) -> None:
    one = graph(cloud)
    page = ges_v1.list_graphs(v1.ListGraphsRequest())
    assert (page.graph_count, page.graphs[0].data_store_version) == (1, "2.4.4")
    assert ges_v1.show_graph(v1.ShowGraphRequest(graph_id=one.id)).graph.id == one.id


def test_v2_upgrades_and_shows_the_job(cloud: Cloud, ges: Any) -> None:
    one = graph(cloud)
    job_id = upgrade(ges, one.id, force=True).job_id
    assert (cloud.upgrades[0].job_id, cloud.upgrades[0].force) == (job_id, True)
    assert ges.show_graph2(v2.ShowGraph2Request(graph_id=one.id)).graph.status == "201"
    job = ges.show_job2(v2.ShowJob2Request(graph_id=one.id, job_id=job_id))
    assert (job.status, job.related_graph, job.job_type) == ("pending", "demo", "GraphManagement")


def test_v1_upgrades_and_shows_the_job(cloud: Cloud, ges_v1: Any) -> None:
    cloud.upgrade_duration = timedelta(0)
    one = graph(cloud)
    body = v1.UpgradeGraphReq(upgrade_version="2.4.15", force_upgrade=False)
    job_id = ges_v1.upgrade_graph(v1.UpgradeGraphRequest(graph_id=one.id, action_id="upgrade", body=body)).job_id
    job = ges_v1.show_job(v1.ShowJobRequest(graph_id=one.id, job_id=job_id))
    assert (job.status, job.related_graph) == ("success", "demo")
    assert one.version == "2.4.15"


def test_job_centre_filters_jobs(cloud: Cloud, ges: Any, ges_v1: Any) -> None:
    one = graph(cloud)
    job_id = upgrade(ges, one.id).job_id
    day = f"{cloud.clock.now():%Y-%m-%d}"
    waiting = ges.list_jobs2(v2.ListJobs2Request(graph_name="demo", status="waiting", start_time=day, end_time=day))
    assert [(job.job_id, job.status) for job in waiting.job_list] == [(job_id, "pending")]
    assert ges.list_jobs2(v2.ListJobs2Request(graph_name="other")).job_count == 0
    assert ges.list_jobs2(v2.ListJobs2Request(start_time="2100-01-01")).job_count == 0
    assert ges_v1.list_jobs(v1.ListJobsRequest(graph_name="demo")).job_list[0].job_id == job_id


def test_backups_are_created_listed_and_deleted(cloud: Cloud, ges: Any, ges_v1: Any) -> None:
    cloud.backup_duration = timedelta(0)
    one = graph(cloud)
    assert ges.create_backup2(v2.CreateBackup2Request(graph_id=one.id)).job_id
    assert ges_v1.create_backup(v1.CreateBackupRequest(graph_id=one.id)).job_id
    listed = ges.list_graph_backups2(v2.ListGraphBackups2Request(graph_id=one.id))
    assert (listed.backup_count, listed.backup_list[0].status) == (2, "success")
    assert ges_v1.list_graph_backups(v1.ListGraphBackupsRequest(graph_id=one.id)).backup_count == 2
    ges.delete_backup2(v2.DeleteBackup2Request(graph_id=one.id, backup_id=listed.backup_list[0].id))
    assert ges.list_backups2(v2.ListBackups2Request()).backup_count == 1
    assert ges_v1.list_backups(v1.ListBackupsRequest()).backup_count == 1


def test_backup_quota_counts_down_and_refuses(cloud: Cloud, ges: Any, ges_v1: Any) -> None:
    cloud.backup_quota = 1
    cloud.backup_duration = timedelta(0)
    one = graph(cloud)
    ges.create_backup2(v2.CreateBackup2Request(graph_id=one.id))
    resources = {one.type: one.available for one in ges.list_quotas2(v2.ListQuotas2Request()).quotas.resources}
    assert resources["backup"] == 0
    assert ges_v1.list_quotas(v1.ListQuotasRequest()).quotas.resources
    with pytest.raises(ClientRequestException) as caught:
        ges.create_backup2(v2.CreateBackup2Request(graph_id=one.id))
    assert caught.value.error_code == "GES.7019"


@pytest.mark.parametrize(
    ("status", "version", "code"),
    [
        ("900", "2.4.15", "GES.7003"),
        ("901", "2.4.15", "GES.7003"),
        ("903", "2.4.15", "GES.7002"),
        ("100", "2.4.15", "GES.7042"),
        ("400", "2.4.15", "GES.7054"),
        ("202", "2.4.15", "GES.7001"),
        ("200", "2.4.4", "GES.7036"),
        ("200", "2.3.18", "GES.7036"),
        ("200", "2.9.9", "GES.0001"),
        ("200", "latest", "GES.0001"),
        ("200", "", "GES.7050"),
    ],
)
def test_impossible_upgrade_is_refused_with_its_code(cloud: Cloud, ges: Any, status: str, version: str, code: str) -> None:
    one = graph(cloud, status=status)
    with pytest.raises(ClientRequestException) as caught:
        upgrade(ges, one.id, version)
    assert (caught.value.status_code, caught.value.error_code) == (400, code)
    assert cloud.upgrades == []


def test_second_upgrade_in_parallel_is_refused(cloud: Cloud, ges: Any) -> None:
    one = graph(cloud)
    upgrade(ges, one.id)
    with pytest.raises(ClientRequestException) as caught:
        upgrade(ges, one.id)
    assert caught.value.error_code == "GES.7001"


def test_unknown_graphs_and_jobs_are_400(cloud: Cloud, ges: Any) -> None:
    one = graph(cloud)
    with pytest.raises(ClientRequestException) as caught:
        ges.show_graph2(v2.ShowGraph2Request(graph_id="nowhere"))
    assert (caught.value.status_code, caught.value.error_code) == (400, "GES.7000")
    with pytest.raises(ClientRequestException) as caught:
        ges.show_job2(v2.ShowJob2Request(graph_id=one.id, job_id="none"))
    assert (caught.value.status_code, caught.value.error_code) == (400, "GES.8301")


def test_sdk_does_not_parse_errors_of_v1(cloud: Cloud, ges_v1: Any) -> None:
    """ges.md 9, S1: the code is the HTTP status, the message the raw body."""
    with pytest.raises(ClientRequestException) as caught:
        ges_v1.show_graph(v1.ShowGraphRequest(graph_id="nowhere"))
    assert caught.value.error_code == "400"
    assert "GES.7000" in caught.value.error_msg


def test_sdk_loses_the_code_of_a_throttled_get(cloud: Cloud, ges: Any) -> None:
    """ges.md 9, S2."""
    one = graph(cloud)
    cloud.fault("*", faults.throttle(), times=2)
    with pytest.raises(ClientRequestException) as caught:
        ges.list_graphs2(v2.ListGraphs2Request())
    assert caught.value.status_code == 429
    with pytest.raises(ClientRequestException) as caught:
        upgrade(ges, one.id)
    assert (caught.value.status_code, caught.value.error_code) == (429, "APIGW.0308")


def test_html_page_is_a_server_error(cloud: Cloud, ges: Any) -> None:
    cloud.fault("ges.list_graphs", faults.html(503))
    with pytest.raises(ServerResponseException) as caught:
        ges.list_graphs2(v2.ListGraphs2Request())
    assert (caught.value.status_code, caught.value.error_code) == (503, "503")


@pytest.mark.parametrize(
    ("fault", "acted"), [(faults.lost_answer(), 1), (faults.drop_connection(), 0)], ids=["lost", "dropped"]
)
def test_closed_connection_hides_whether_the_service_acted(cloud: Cloud, ges: Any, fault: faults.Fault, acted: int) -> None:
    one = graph(cloud)
    cloud.fault("ges.upgrade_graph", fault)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the SDK raises requests' own here (smn-obs-core.md B3)
        upgrade(ges, one.id)
    assert "onnection" in type(caught.value).__name__ or isinstance(caught.value, ConnectionException)
    assert len(cloud.upgrades) == acted


def test_wrong_secret_is_refused(cloud: Cloud, server: Server) -> None:
    wrong = BasicCredentials("SIMULATORAK", "wrong", PROJECT_ID)
    ges = GesClientV2.new_builder().with_credentials(wrong).with_endpoint(server.url).build()
    with pytest.raises(ClientRequestException) as caught:
        ges.list_graphs2(v2.ListGraphs2Request())
    assert (caught.value.status_code, caught.value.error_code) == (401, "APIGW.0301")


@pytest.mark.parametrize(("token", "accepted"), [("sts", True), ("other", False), (None, False)])
def test_temporary_credentials_need_their_token(cloud: Cloud, server: Server, token: str | None, accepted: bool) -> None:
    cloud.credentials("TEMPORARY", "secret", "sts")
    temporary = BasicCredentials("TEMPORARY", "secret", PROJECT_ID)
    if token:
        temporary.with_security_token(token)
    ges = GesClientV2.new_builder().with_credentials(temporary).with_endpoint(server.url).build()
    if accepted:
        assert ges.list_graphs2(v2.ListGraphs2Request()).graph_count == 0
    else:
        with pytest.raises(ClientRequestException) as caught:
            ges.list_graphs2(v2.ListGraphs2Request())
        assert caught.value.status_code == 401


def test_unknown_project_is_ges_0016(server: Server) -> None:
    other = BasicCredentials("SIMULATORAK", "SIMULATORSK", "f" * 32)
    ges = GesClientV2.new_builder().with_credentials(other).with_endpoint(server.url).build()
    with pytest.raises(ClientRequestException) as caught:
        ges.list_graphs2(v2.ListGraphs2Request())
    assert caught.value.error_code == "GES.0016"


def test_region_without_v2_answers_404(cloud: Cloud, ges: Any, ges_v1: Any) -> None:
    cloud.project("cn-north-4", PROJECT_ID, has_v2=False)
    with pytest.raises(ClientRequestException) as caught:
        ges.list_graphs2(v2.ListGraphs2Request())
    assert (caught.value.status_code, caught.value.error_code) == (404, "APIGW.0101")
    assert ges_v1.list_graphs(v1.ListGraphsRequest()).graph_count == 0


def _fields(example: Any, name: str) -> set[str]:
    (first, *_) = example[name]
    return set(first)


def test_answers_have_the_documented_fields(cloud: Cloud, server: Server) -> None:
    """The documents' examples leave optional fields out."""
    from huaweicloud_simulator.ges.shapes import backup_shown, graph_shown, job_shown, spelled

    one = graph(cloud)
    one.begin_upgrade("2.4.15", force=False)
    now = cloud.clock.now() + timedelta(hours=1)
    assert set(payload("show_graph_v2")["graph"]) == set(graph_shown(one, "v2"))
    documented = _fields(payload("list_graphs_v1"), "graphs") - {"enableFullTextIndex", "publicIp"}
    assert documented <= set(graph_shown(one, "v1.0"))
    assert set(payload("job_success")) == set(job_shown(one.jobs[0], now))
    assert set(payload("job_success_v1")) == set(spelled("v1.0", job_shown(one.jobs[0], now)))
    one.status = "200"
    _, backup = one.begin_backup()
    assert _fields(payload("backups_list_v2"), "backup_list") == set(backup_shown(backup, now))
    assert _fields(payload("backups_list_v1"), "backupList") <= set(spelled("v1.0", backup_shown(backup, now)))
