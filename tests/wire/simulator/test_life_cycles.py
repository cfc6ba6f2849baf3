"""What the official client sees of a graph during an upgrade or a backup, on a virtual clock."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkges.v2 import GesClient
from huaweicloudsdkges.v2 import model as v2

from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, Fate, Graph, VirtualClock, mock_huaweicloud
from tests.builders import PROJECT_ID


class Watched:
    """A cloud with one graph, and what the official client sees of it."""

    def __init__(self) -> None:
        # The SDK stamps its signature with the machine's time, so the clock starts there and stays within 15 minutes.
        self.clock = VirtualClock(datetime.now(timezone.utc))
        self.cloud = Cloud(self.clock)
        self.cloud.upgrade_duration = timedelta(seconds=100)
        self.cloud.backup_duration = timedelta(seconds=10)
        self.cloud.release("2.4.15")
        self.graph: Graph = self.cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.9")
        credentials = BasicCredentials(ACCESS_KEY, SECRET_KEY, PROJECT_ID)
        host = "https://ges.cn-north-4.myhuaweicloud.com"
        self.ges: Any = GesClient.new_builder().with_credentials(credentials).with_endpoint(host).build()

    def upgrade(self) -> str:
        body = v2.UpgradeGraphReq(upgrade_version="2.4.15")
        with mock_huaweicloud(self.cloud):
            return str(self.ges.upgrade_graph2(v2.UpgradeGraph2Request(graph_id=self.graph.id, body=body)).job_id)

    def seen(self) -> tuple[str, str]:
        with mock_huaweicloud(self.cloud):
            shown = self.ges.show_graph2(v2.ShowGraph2Request(graph_id=self.graph.id)).graph
        return shown.status, shown.data_store_version

    def job(self, job_id: str) -> Any:
        with mock_huaweicloud(self.cloud):
            return self.ges.show_job2(v2.ShowJob2Request(graph_id=self.graph.id, job_id=job_id))

    def after(self, seconds: float) -> Watched:
        self.clock.sleep(seconds)
        return self


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_job_is_pending_then_running_then_ended(watched: Watched) -> None:
    job_id = watched.upgrade()
    pending = watched.job(job_id)
    running = watched.after(50).job(job_id)
    over = watched.after(50).job(job_id)
    assert [job.status for job in (pending, running, over)] == ["pending", "running", "success"]
    assert [job.begin_time is None for job in (pending, running, over)] == [True, False, False]
    assert [job.end_time is None for job in (pending, running, over)] == [True, True, False]


def test_version_changes_when_the_graph_runs_again(watched: Watched) -> None:
    watched.upgrade()
    assert watched.seen() == ("201", "2.4.9")
    assert watched.after(99).seen() == ("201", "2.4.9")
    assert watched.after(1).seen() == ("200", "2.4.15")


def test_failed_upgrade_rolls_back_with_a_reason(watched: Watched) -> None:
    watched.graph.next_upgrade("failed", fail_reason="Insufficient ECS quota.")
    job_id = watched.upgrade()
    assert watched.after(99).seen() == ("201", "2.4.9")
    assert watched.after(1).seen() == ("203", "2.4.9")
    job = watched.job(job_id)
    assert (job.status, job.fail_reason) == ("failed", "Insufficient ECS quota.")
    assert watched.after(100).seen() == ("200", "2.4.9")


def test_graph_can_be_upgraded_after_automatic_rollback(watched: Watched) -> None:
    watched.graph.next_upgrade("failed")
    watched.upgrade()
    watched.after(200).upgrade()
    assert watched.after(100).seen() == ("200", "2.4.15")


@pytest.mark.parametrize(
    ("fate", "job", "graph"),
    [
        ("success-without-new-version", "success", ("200", "2.4.9")),
        ("partially-failed", "partiallyFailed", ("203", "2.4.9")),
        ("stuck", "failed", ("201", "2.4.9")),
        ("faulty", "failed", ("300", "2.4.9")),
        ("success-but-faulty", "success", ("300", "2.4.15")),
        ("hang", "running", ("201", "2.4.9")),
    ],
)
def test_upgrade_ends_as_its_fate_says(watched: Watched, fate: Fate, job: str, graph: tuple[str, str]) -> None:
    watched.graph.next_upgrade(fate)
    job_id = watched.upgrade()
    assert watched.after(100).job(job_id).status == job
    assert watched.seen() == graph


def test_vanished_job_is_unknown(watched: Watched) -> None:
    watched.graph.next_upgrade("vanish")
    job_id = watched.upgrade()
    assert watched.job(job_id).status == "pending"
    with pytest.raises(ClientRequestException) as caught:
        watched.after(100).job(job_id)
    assert (caught.value.error_code, caught.value.error_msg) == ("GES.8301", f"can not find job, jobId is {job_id}")


def test_manual_change_shows_at_once(watched: Watched) -> None:
    watched.graph.status, watched.graph.version = "900", "2.4.10"
    assert watched.seen() == ("900", "2.4.10")


def test_progress_shows_only_during_creation(watched: Watched) -> None:
    fresh = watched.cloud.project("cn-north-4", PROJECT_ID).graph("fresh", status="100")
    with mock_huaweicloud(watched.cloud):
        shown = {one.name: one.action_progress for one in watched.ges.list_graphs2(v2.ListGraphs2Request()).graphs}
    assert (shown["demo"], shown["fresh"]) == (None, "35")
    fresh.status = "200"


def test_running_backup_blocks_upgrade_and_backup(watched: Watched) -> None:
    request = v2.CreateBackup2Request(graph_id=watched.graph.id)
    with mock_huaweicloud(watched.cloud):
        watched.ges.create_backup2(request)
        with pytest.raises(ClientRequestException) as caught:
            watched.ges.create_backup2(request)
    assert caught.value.error_code == "GES.7002"
    with pytest.raises(ClientRequestException) as caught:
        watched.upgrade()
    assert caught.value.error_code == "GES.7002"
    watched.after(10).upgrade()
    assert len(watched.cloud.upgrades) == 1


@pytest.mark.parametrize(("status", "code"), [("201", "GES.7001"), ("900", "GES.7003"), ("100", "GES.7042")])
def test_backup_of_a_stopped_graph_is_refused(watched: Watched, status: str, code: str) -> None:
    watched.graph.status = status
    with mock_huaweicloud(watched.cloud), pytest.raises(ClientRequestException) as caught:
        watched.ges.create_backup2(v2.CreateBackup2Request(graph_id=watched.graph.id))
    assert caught.value.error_code == code


def test_backup_shows_its_end_only_afterwards(watched: Watched) -> None:
    def listed() -> Any:
        with mock_huaweicloud(watched.cloud):
            return watched.ges.list_backups2(v2.ListBackups2Request()).backup_list[0]

    with mock_huaweicloud(watched.cloud):
        watched.ges.create_backup2(v2.CreateBackup2Request(graph_id=watched.graph.id))
    assert (listed().status, listed().end_time) == ("backing_up", None)
    watched.after(10)
    assert (listed().status, listed().duration) == ("success", 10)
    with mock_huaweicloud(watched.cloud), pytest.raises(ClientRequestException) as caught:
        watched.ges.delete_backup2(v2.DeleteBackup2Request(graph_id=watched.graph.id, backup_id="none"))
    assert caught.value.error_code == "GES.7024"
