"""What goes wrong in the cloud and on the way to it: each time, what the cloud saw and what was told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from ges_upgrader.cloud.sockets import LimitedAdapter
from ges_upgrader.domain.model import Project
from huaweicloud_simulator import faults
from huaweicloud_simulator.faults import Fault
from huaweicloud_simulator.ges.shapes import graph_shown
from huaweicloud_simulator.mock import received
from huaweicloud_simulator.wire import Request, Response
from tests.builders import NOW, PROJECT
from tests.builders import policy_text as policy
from tests.journeys.runs import TIMER, World, alter, only

ON_THE_WAY_BACK = [
    faults.lost_answer(),
    faults.read_timeout(acts=True),
    faults.gateway_timeout(),
    faults.malformed(),
]
BEFORE_ACTING = [
    faults.drop_connection(),
    faults.read_timeout(acts=False),
    faults.refuse_connection(),
    faults.throttle(),
    faults.throttle(retry_after=7),
    faults.html(503),
    faults.html(502),
    faults.server_error(500),
    faults.server_error(408, "GES.7005", "The underlying service of the graph engine is unavailable."),
]


def name(fault: Fault) -> str:
    return f"{fault.name}-{'acts' if fault.acts else 'does-not-act'}"


@pytest.mark.parametrize("fault", ON_THE_WAY_BACK, ids=name)
def test_an_upgrade_whose_answer_is_lost_is_found_and_not_started_again(fault: Fault) -> None:
    world = World()
    graph = world.graph()
    world.cloud.fault("ges.upgrade_graph", fault)
    result = world.run()
    assert len(world.cloud.calls("ges.upgrade_graph")) == 1
    assert len(world.cloud.upgrades) == 1
    assert graph.version == "2.4.15"
    assert only(result)["job_id"] == world.cloud.upgrades[0].job_id
    assert world.told() == ["succeeded"]


@pytest.mark.parametrize("fault", BEFORE_ACTING, ids=name)
def test_an_upgrade_call_that_did_not_act_is_made_again_in_the_same_run(fault: Fault) -> None:
    world = World()
    world.graph()
    world.cloud.fault("ges.upgrade_graph", fault)
    world.run()
    assert len(world.cloud.calls("ges.upgrade_graph")) == 2
    assert len(world.cloud.upgrades) == 1
    assert world.told() == ["succeeded"]


def test_retry_after_is_kept_to() -> None:
    world = World()
    world.graph()
    world.cloud.fault("ges.upgrade_graph", faults.throttle(retry_after=7))
    world.run()
    first, second = world.cloud.calls("ges.upgrade_graph")
    assert (second.at - first.at).total_seconds() == 7


def test_a_retry_after_beyond_the_runs_time_is_not_waited_for() -> None:
    world = World()
    world.graph()
    began = world.clock.now()
    world.cloud.fault("ges.upgrade_graph", faults.throttle(retry_after=3600), times=None)
    result = world.run(seconds=300)
    assert (world.clock.now() - began).total_seconds() < 300
    assert world.cloud.upgrades == []
    assert "APIGW.0308" in result["errors"][0]


@pytest.mark.parametrize("fault", [*BEFORE_ACTING, faults.malformed(), faults.gateway_timeout()], ids=name)
@pytest.mark.parametrize("operation", ["ges.list_graphs", "ges.show_job"])
def test_a_read_that_fails_is_repeated(fault: Fault, operation: str) -> None:
    world = World()
    world.graph()
    world.cloud.fault(operation, fault, times=2)
    result = world.run()
    assert len(world.cloud.upgrades) == 1
    assert world.told() == ["succeeded"]
    assert result["errors"] == []


def test_a_project_that_cannot_be_listed_is_left_alone_and_told_of_while_others_go_on() -> None:
    from ges_upgrader.domain.model import Project
    from tests.builders import PROJECT

    world = World()
    world.graph()
    world.cloud.project("cn-east-3", "f" * 32).graph("elsewhere", version="2.4.4")
    world.cloud.fault("ges.list_graphs", faults.html(503), times=None, where=lambda request: "f" * 32 in request.path)
    result = world.run(projects=(PROJECT, Project("cn-east-3", "f" * 32)))
    assert [decision["graph"] for decision in result["decisions"]] == ["demo"]
    assert world.told() == ["succeeded"]
    assert "cn-east-3" in result["errors"][0]
    assert "nothing was started" in result["errors"][0]


def test_a_redirect_is_no_success() -> None:
    world = World()
    world.graph()
    world.cloud.fault("ges.list_graphs", faults.redirect(), times=None)
    result = world.run()
    assert world.cloud.upgrades == []
    assert "302" in result["errors"][0]


def test_an_error_in_an_answer_of_200_is_an_error() -> None:
    world = World(policy(api="v1.0"))
    world.graph()
    world.cloud.fault("ges.list_graphs", faults.soft_error("GES.7006", "internal"), times=None)
    result = world.run()
    assert world.cloud.upgrades == []
    assert "GES.7006" in result["errors"][0]


@pytest.mark.parametrize(
    ("fate", "outcome", "ends_at"),
    [
        ("failed", "rolled-back", "2.4.4"),
        ("partially-failed", "rolled-back", "2.4.4"),
        ("faulty", "failed", "2.4.4"),
        ("vanish", "vanished", "2.4.4"),
        ("success-without-new-version", "version-unchanged", "2.4.4"),
        ("success", "succeeded", "2.4.15"),
    ],
)
def test_every_end_of_a_job_is_told_once_as_what_it_is(fate: str, outcome: str, ends_at: str) -> None:
    world = World()
    graph = world.graph()
    graph.next_upgrade(fate)  # type: ignore[arg-type]
    result = world.run()
    world.run()
    assert [one["outcome"] for one in result["outcomes"]] == [outcome]
    assert world.told() == [outcome]
    assert graph.version == ends_at
    assert len(world.cloud.upgrades) == 1


def test_a_graph_that_is_deleted_while_it_is_upgraded_vanished() -> None:
    world = World()
    graph = world.graph()
    world.run(seconds=60)
    world.project.delete(graph)
    result = world.run(TIMER)
    assert result["outcomes"][0]["outcome"] == "vanished"
    assert world.told() == ["vanished"]


@pytest.mark.parametrize("fate", ["hang", "stuck"])
def test_a_job_that_hangs_is_pending_then_timed_out_once_and_followed_on(fate: str, tmp_path: Path) -> None:
    world = World(policy(state=f"file://{tmp_path}"))
    graph = world.graph()
    graph.next_upgrade(fate)  # type: ignore[arg-type]
    assert len(world.run(seconds=900)["pending"]) == 1
    assert world.told() == []
    world.later(hours=2)
    overdue = world.run(TIMER, seconds=900)
    assert ([one["outcome"] for one in overdue["outcomes"]], len(overdue["pending"])) == (["timed-out"], 1)
    assert world.run(TIMER, seconds=900)["outcomes"] == []
    assert world.told() == ["timed-out"]
    assert len(world.cloud.upgrades) == 1
    graph.status = "200"
    graph.version = "2.4.15"
    graph.jobs[0].end = world.clock.now()
    graph.jobs[0].ending = "success"
    assert world.run(TIMER)["outcomes"][0]["outcome"] == "succeeded"
    assert world.told() == ["timed-out", "succeeded"]


@pytest.mark.parametrize(
    ("code", "action", "reason"),
    [
        ("GES.7001", "wait", "not-running"),
        ("GES.7002", "wait", "backing-up"),
        ("GES.7003", "wait", "not-running"),
        ("GES.7036", "blocked", "refused"),
        ("GES.0001", "blocked", "refused"),
        ("GES.7041", "blocked", "refused"),
        ("GES.7999", "blocked", "refused"),
    ],
)
def test_a_refusal_of_ges_becomes_a_decision_and_an_error_and_is_not_hammered(code: str, action: str, reason: str) -> None:
    world = World()
    world.graph()
    world.cloud.fault("ges.upgrade_graph", faults.error(400, code, "no"), times=None)
    result = world.run()
    world.run(TIMER)
    decision = only(result)
    assert (decision["action"], decision["reason"]) == (action, reason)
    assert len(world.cloud.calls("ges.upgrade_graph")) == 1
    assert code in result["errors"][0]
    assert "demo was not upgraded" in result["errors"][0]
    assert world.told() == (["notice"] if action == "blocked" else [])


def test_a_version_unknown_to_ges_is_never_replaced_by_another() -> None:
    world = World()
    world.graph()
    world.run({"command": "release", "version": "2.9.9"})
    (call,) = world.cloud.calls("ges.upgrade_graph")
    assert call.json["upgrade_version"] == "2.9.9"
    assert world.cloud.upgrades == []


def test_a_refused_call_is_made_again_after_its_pause() -> None:
    world = World()
    world.graph()
    world.cloud.fault("ges.upgrade_graph", faults.error(400, "GES.7001", "The graph is not running."))
    world.run()
    world.later(minutes=6)
    world.run(TIMER)
    assert world.told() == ["succeeded"]


@pytest.mark.parametrize(
    "fault",
    [
        faults.throttle(),
        faults.html(503),
        faults.server_error(500, "SMN.0018", "Internal error"),
        faults.refuse_connection(),
        faults.error(403, "SMN.0008", "Subject invalid."),
    ],
    ids=name,
)
def test_a_publish_that_was_refused_for_now_is_sent_again_at_once(fault: Fault) -> None:
    world = World()
    world.graph()
    world.cloud.fault("smn.publish", fault)
    result = world.run()
    assert len(world.topic.messages) == 1
    assert (result["notified"], result["errors"]) == (1, [])


def test_a_publish_whose_answer_is_lost_is_not_repeated_in_the_run() -> None:
    world = World()
    world.graph()
    world.cloud.fault("smn.publish", faults.lost_answer())
    result = world.run()
    assert len(world.topic.messages) == 1
    assert result["notified"] == 0
    assert "was not delivered" in result["errors"][0]


def test_a_publish_that_failed_is_told_by_a_later_run_with_the_same_event_id(tmp_path: Path) -> None:
    import json

    world = World(policy(state=f"file://{tmp_path}"))
    world.graph()
    world.cloud.fault("smn.publish", faults.lost_answer())
    world.run()
    world.later(hours=2)
    assert world.run(TIMER)["notified"] == 1
    first, second = (json.loads((message.structure or {})["default"])["event_id"] for message in world.topic.messages)
    assert first == second
    world.later(hours=2)
    assert world.run(TIMER)["notified"] == 0


def test_a_topic_that_is_gone_is_an_error_and_the_result_is_kept(tmp_path: Path) -> None:
    world = World(policy(state=f"file://{tmp_path}"))
    world.graph()
    topics = dict(world.project.topics)
    world.project.topics.clear()
    result = world.run()
    assert "SMN.0006" in result["errors"][0]
    assert result["outcomes"][0]["outcome"] == "succeeded"
    world.project.topics.update(topics)
    world.later(hours=2)
    assert world.run(TIMER)["notified"] == 1
    assert world.told() == ["succeeded"]


def test_wrong_credentials_are_an_error_without_the_secrets() -> None:
    world = World()
    world.graph()
    world.cloud.credentials("SIMULATORAK", "another secret")
    result = world.run()
    assert "APIGW.0301" in result["errors"][0]
    assert "SIMULATORSK" not in str(result)
    assert result["decisions"] == []


def test_an_unreadable_journal_starts_nothing_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "journal-1.jsonl").write_text("garbage\n")
    world = World(policy(state=f"file://{tmp_path}"))
    world.graph()
    result = world.run()
    assert only(result)["reason"] == "state-unavailable"
    assert "nothing is started" in result["errors"][0]
    assert world.cloud.upgrades == []


def test_a_crash_between_the_call_and_its_record_is_found_by_the_next_run(tmp_path: Path) -> None:
    """The answer is lost, and so is the run: only the intent is in the journal."""
    world = World(policy(state=f"file://{tmp_path}"))
    world.graph()
    world.cloud.fault("ges.upgrade_graph", faults.lost_answer())
    world.cloud.fault("ges.list_jobs", faults.html(503), times=None)
    world.run(seconds=30)
    world.cloud.clear_faults()
    world.later(minutes=15)
    result = world.run(TIMER)
    assert len(world.cloud.upgrades) == 1
    assert result["outcomes"][0]["job_id"] == world.cloud.upgrades[0].job_id
    assert world.told() == ["succeeded"]


@pytest.mark.parametrize("then", ["late", "throttled"])
def test_a_call_that_arrives_late_is_followed_whatever_came_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    """Its answer is lost 30 s before the cutoff; or the next call is refused."""
    windows = "Mon 01:00-02:31 UTC" if then == "late" else "always"
    world = World(policy(f"[{{windows: ['{windows}']}}]", state=f"file://{tmp_path}"))
    graph = world.graph()
    graph.next_upgrade("failed")
    world.later(seconds=45)
    lost = list[requests.PreparedRequest]()

    def slow(adapter: LimitedAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if request.method == "POST" and "/upgrade" in (request.url or "") and not lost:
            lost.append(request)
            world.clock.sleep(options["timeout"][1])
            if then == "throttled":
                world.cloud.fault("ges.upgrade_graph", faults.throttle(retry_after=600), times=None)
            raise requests.exceptions.ReadTimeout("no answer", request=request)
        return HTTPAdapter.send(adapter, request, **options)

    monkeypatch.setattr(LimitedAdapter, "send", slow)
    world.run(seconds=120)
    world.cloud.clear_faults()
    assert world.cloud.upgrades == []
    world.cloud.handle(received(world.cloud, lost[0]))
    for _ in range(3):
        world.later(minutes=30)
        world.run(TIMER)
    assert graph.version == "2.4.4"
    assert len(world.cloud.upgrades) == 1
    assert world.told() == ["rolled-back"]


def test_what_was_begun_in_a_project_that_the_policy_names_no_more_is_followed_to_its_end(tmp_path: Path) -> None:
    world = World(policy(state=f"file://{tmp_path}"))
    world.cloud.upgrade_duration = timedelta(minutes=10)
    other = Project(PROJECT.region, "fedcba9876543210fedcba9876543210")
    world.cloud.project(other.region, other.project_id).graph("there", version="2.4.4")
    world.run(seconds=60, projects=(other,))
    world.graph("here")
    result = world.run(TIMER, seconds=60)
    assert [one["graph_id"] for one in result["pending"]]
    assert only(result)["reason"] == "max-concurrent"
    world.later(days=1)
    result = world.run(TIMER)
    assert world.told() == ["succeeded", "succeeded"]
    assert only(result)["graph"] == "here"


@pytest.mark.parametrize("answered", [True, False], ids=["job", "no-job"])
def test_success_shows_in_the_graph_where_the_agency_must_not_look_at_jobs(tmp_path: Path, answered: bool) -> None:
    world = World(policy("[{name: all, max_concurrent: 1}]", state=f"file://{tmp_path}"))
    world.graph("graph_a")
    world.graph("graph_b")
    refused = faults.error(400, "GES.7041", "Insufficient permission.")
    for operation in ("ges.list_jobs", "ges.show_job"):
        world.cloud.fault(operation, refused, times=None)
    if not answered:
        world.cloud.fault("ges.upgrade_graph", faults.lost_answer(), times=2)
    result = world.run()
    assert {graph.version for graph in world.project.graphs.values()} == {"2.4.15"}
    assert [one["outcome"] for one in result["outcomes"]] == ["succeeded", "succeeded"]
    assert all("the job could not be read" in one["detail"] for one in result["outcomes"])
    assert world.told() == ["succeeded", "succeeded"]


@pytest.mark.parametrize("answered", [True, False], ids=["job", "no-job"])
def test_what_became_of_an_upgrade_is_not_guessed_without_its_job_and_is_told_to_be_late_once(
    tmp_path: Path, answered: bool
) -> None:
    world = World(policy("[{job_timeout: 2h}]", state=f"file://{tmp_path}"))
    world.graph().next_upgrade("failed")
    for operation in ("ges.list_jobs", "ges.show_job"):
        world.cloud.fault(operation, faults.error(400, "GES.7041", "Insufficient permission."), times=None)
    if not answered:
        world.cloud.fault("ges.upgrade_graph", faults.lost_answer())
    world.run()
    for _ in range(3):
        world.later(hours=2)
        result = world.run(TIMER)
        assert any("GES.7041" in error for error in result["errors"])
    assert world.told() == ["timed-out"]
    assert len(world.cloud.upgrades) == 1
    world.cloud.clear_faults()
    world.run(TIMER)
    assert world.told() == ["timed-out", "rolled-back"]


def test_a_call_that_acted_and_shows_only_after_it_was_repeated_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """GES refuses the second call; that says nothing about the first, whose answer was lost."""
    world = World()
    graph = world.graph()
    world.cloud.fault("ges.upgrade_graph", faults.lost_answer())
    handle = world.cloud.handle

    def slow(request: Request) -> Response:
        hides = len(world.cloud.calls("ges.upgrade_graph")) == 1
        response = handle(request)
        if hides and request.operation == "ges.list_jobs":
            response.body = b'{"job_count": 0, "job_list": []}'
        if hides and request.operation == "ges.show_graph":
            response.body = response.body.replace(b'"%s"' % graph.status.encode(), b'"200"')
        return response

    monkeypatch.setattr(world.cloud, "handle", slow)
    world.run()
    assert len(world.cloud.calls("ges.upgrade_graph")) == 2
    assert len(world.cloud.upgrades) == 1
    assert world.told() == ["succeeded"]


def test_an_intent_that_never_acted_is_closed_and_started_again(tmp_path: Path) -> None:
    world = World(policy(state=f"file://{tmp_path}"))
    world.graph()
    world.cloud.fault("ges.upgrade_graph", faults.read_timeout(acts=False))
    world.cloud.fault("ges.list_jobs", faults.html(503), times=None)
    world.run(seconds=30)
    assert world.cloud.upgrades == []
    world.cloud.clear_faults()
    world.later(minutes=15)
    world.run(TIMER)
    world.later(minutes=15)
    world.run(TIMER)
    assert len(world.cloud.upgrades) == 1
    assert world.told() == ["succeeded"]


def test_a_graph_whose_project_cannot_be_listed_at_the_end_of_a_run_keeps_its_decision() -> None:
    world = World()
    world.graph()
    world.cloud.fault("ges.list_graphs", faults.html(503), times=None, after=3)
    result = world.run(seconds=120)
    assert (only(result)["action"], len(result["pending"])) == ("upgrade", 1)
    assert len(world.cloud.upgrades) == 1


def test_a_graph_that_the_list_leaves_out_is_asked_for_before_it_is_called_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    graph = world.graph()
    world.run(seconds=60)
    world.later(minutes=20)
    alter(world, monkeypatch, "ges.list_graphs", lambda _: b'{"graph_count": 0, "graphs": []}')
    result = world.run(TIMER)
    assert [one["outcome"] for one in result["outcomes"]] == ["succeeded"]
    assert graph.version == "2.4.15"


def test_an_answer_without_graphs_is_an_error_and_no_empty_fleet() -> None:
    world = World()
    world.graph()
    world.cloud.fault("ges.list_graphs", faults.Fault("empty", False, lambda: Response(200, b"{}")), times=None)
    result = world.run()
    assert "unreadable" in result["errors"][0]
    assert world.cloud.upgrades == []


def test_a_listing_that_is_known_to_lack_graphs_lets_no_rule_go_on_that_counts_or_waits_for_them() -> None:
    world = World(policy("[{name: dev, match: {name: dev}}, {name: prod, match: {name: prod}, after: [dev]}, {max_graphs: 5}]"))
    for name in ("prod", "rest", "dev"):
        world.graph(name)
    short = {"graph_count": 3, "graphs": [graph_shown(graph, "v2") for graph in list(world.project.graphs.values())[:2]]}
    world.cloud.fault("ges.list_graphs", faults.Fault("short", acts=False, strike=lambda: Response.of(200, short)), times=None)
    result = world.run()
    assert [(one["graph"], one["reason"]) for one in sorted(result["decisions"], key=lambda one: str(one["graph"]))] == [
        ("prod", "after-rule"),
        ("rest", "too-many"),
    ]
    assert "2 of 3 graphs were listed" in result["errors"][0]
    assert world.cloud.upgrades == []


def test_a_version_that_shows_a_while_after_its_job_ended_is_waited_for() -> None:
    world = World()
    graph = world.graph()
    ended = NOW + world.cloud.upgrade_duration
    shows = ended + timedelta(seconds=40)

    def lagging() -> Response:
        return Response.of(200, {"graph_count": 1, "graphs": [{**graph_shown(graph, "v2"), "data_store_version": "2.4.4"}]})

    lag = Fault("lagging", acts=False, strike=lagging)
    world.cloud.fault("ges.list_graphs", lag, times=None, where=lambda request: ended <= request.at < shows)
    assert [one["outcome"] for one in world.run()["outcomes"]] == ["succeeded"]


@pytest.mark.parametrize("job", [{"status": "complete"}, {}, {"job": {"status": "SUCCESS"}}])
def test_a_job_in_words_that_are_not_known_holds_nobody_up_where_the_graph_has_arrived(job: dict[str, object]) -> None:
    world = World()
    world.graph()
    world.cloud.fault("ges.show_job", Fault("words", acts=False, strike=lambda: Response.of(200, job)), times=None)
    result = world.run()
    assert [one["outcome"] for one in result["outcomes"]] == ["succeeded"]
    assert result["pending"] == []


def test_a_backup_that_ges_refuses_for_now_is_waited_for_and_no_failure(tmp_path: Path) -> None:
    world = World(policy("[{backup: required}]", state=f"file://{tmp_path}"))
    graph = world.graph()
    world.cloud.fault("ges.create_backup", faults.error(400, "GES.7002", "The graph is being backed up."))
    result = world.run(seconds=60)
    assert (only(result)["action"], only(result)["reason"], result["errors"]) == ("wait", "backing-up", [])
    world.later(minutes=5)
    world.run(TIMER)
    assert graph.version == "2.4.15"
    assert world.told() == ["succeeded"]


def test_a_refused_message_is_sent_by_the_next_run_and_not_only_after_its_lease(tmp_path: Path) -> None:
    world = World(policy(state=f"file://{tmp_path}"))
    world.graph()
    world.cloud.fault("smn.publish", faults.error(403, "SMN.0001", "no permission"))
    assert len(world.run()["errors"]) == 1
    assert world.told() == []
    world.run(TIMER)
    assert world.told() == ["succeeded"]


def test_a_publish_that_smn_could_not_produce_is_repeated_in_the_run() -> None:
    world = World()
    world.graph()
    world.cloud.fault("smn.publish", faults.error(400, "SMN.0019", "producer exception"))
    assert (world.run()["errors"], world.told()) == ([], ["succeeded"])


def test_due_graph_waits_when_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.graph()

    def slow(body: bytes) -> bytes:
        world.later(seconds=16)
        return body

    alter(world, monkeypatch, "ges.list_graphs", slow)
    result = world.run(seconds=20)
    assert world.cloud.upgrades == []
    assert (only(result)["action"], only(result)["reason"]) == ("wait", "due")


def test_a_graph_without_a_version_is_left_alone_and_told_of() -> None:
    world = World()
    graph = world.graph()
    shown = {**graph_shown(graph, "v2"), "data_store_version": ""}
    answer = Response.of(200, {"graph_count": 1, "graphs": [shown]})
    world.cloud.fault("ges.list_graphs", Fault("no version", acts=False, strike=lambda: answer), times=None)
    result = world.run()
    assert only(result)["reason"] == "refused"
    assert "demo has no version that can be read" in result["errors"][0]
