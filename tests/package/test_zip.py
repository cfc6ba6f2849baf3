"""The zip as it is deployed: unpacked, with nothing else on the path, on every Python that is here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from deploy.pythons import find
from ges_upgrader_cli.packaged.files import own
from ges_upgrader_cli.packaged.zip import BUDGET, TARGET, dependencies, write
from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, faults, serve
from huaweicloud_simulator.clock import VirtualClock
from huaweicloud_simulator.server import Server
from tests.builders import PROJECT_ID, TOPIC

EVENTS = Path(__file__).parents[2] / "events"
POLICY = f"notify: {TOPIC}\nrules: [{{max_concurrent: 5}}]"
SHORT = 8.0  # seconds, enough to start an upgrade while other processes keep the machine busy

INVOKE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import index

class Context:
    def getRequestID(self): return "request-1"
    def getProjectID(self): return sys.argv[3]
    def getRemainingTimeInMilliSeconds(self): return int(sys.argv[4])

for name, value in json.loads(sys.argv[5]).items():
    setattr(Context, name, lambda self, value=value: value if value is not None else 1 / 0)

event = json.load(open(sys.argv[2], encoding="utf-8"))
index.initializer(Context())
print("RESULT " + json.dumps(index.handler(event, Context())))
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zip")
    with zipfile.ZipFile(TARGET) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def clock() -> VirtualClock:
    """It stands still, so that an upgrade ends when the test says so, however busy the machine is."""
    return VirtualClock(datetime.now(timezone.utc))


@pytest.fixture
def cloud(request: pytest.FixtureRequest) -> Cloud:
    cloud = Cloud(request.getfixturevalue("clock") if "clock" in request.fixturenames else None)
    cloud.upgrade_duration = timedelta(seconds=1)
    cloud.release("2.4.9", "2.4.15")
    cloud.project("cn-north-4", PROJECT_ID).topic("ges-upgrades")
    return cloud


@pytest.fixture
def server(cloud: Cloud) -> Iterator[Server]:
    with serve(cloud) as running:
        yield running


class Platform:
    """Invokes the unpacked zip as FunctionGraph would: a process of its own for each event."""

    def __init__(self, unpacked: Path, server: Server, home: Path) -> None:
        self.unpacked, self.server, self.home = unpacked, server, home
        self.log: list[dict[str, Any]] = []
        self.context: dict[str, str | None] = {}  # what more its methods return; None: they raise

    def invoke(self, event: str | Path, python: str = sys.executable, seconds: float = 60, **variables: str) -> dict[str, Any]:
        path = EVENTS / f"{event}.json" if isinstance(event, str) else event
        environment = {
            "HOME": str(self.home),
            "POLICY": POLICY,
            "HUAWEICLOUD_SDK_AK": ACCESS_KEY,
            "HUAWEICLOUD_SDK_SK": SECRET_KEY,
            **self.server.environment("cn-north-4"),
            **variables,
        }
        arguments = [str(self.unpacked), str(path), PROJECT_ID, str(int(seconds * 1000)), json.dumps(self.context)]
        ran = subprocess.run(
            [python, "-I", "-S", "-B", "-c", INVOKE, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stderr
        *lines, last = ran.stdout.splitlines()
        self.log = [json.loads(line) for line in lines]
        return dict(json.loads(last.removeprefix("RESULT ")))


@pytest.fixture
def platform(unpacked: Path, server: Server, tmp_path: Path) -> Platform:
    return Platform(unpacked, server, tmp_path)


@pytest.mark.parametrize("python", {**find(), "this": sys.executable}.values())
def test_an_smn_event_upgrades_and_tells_once_and_its_repetition_does_nothing(
    platform: Platform, cloud: Cloud, python: str, tmp_path: Path
) -> None:
    graph = cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.4")
    state = POLICY + f"\nstate: file://{tmp_path}/state"
    first = platform.invoke("smn_release", python, POLICY=state)
    assert (first["errors"], [one["outcome"] for one in first["outcomes"]], first["notified"]) == ([], ["succeeded"], 2)
    assert graph.version == "2.4.15"
    second = platform.invoke("smn_release", python, POLICY=state)
    assert (second["outcomes"], second["notified"], second["decisions"][0]["reason"]) == ([], 0, "up-to-date")
    assert len(cloud.upgrades) == 1
    topic = cloud.project("cn-north-4", PROJECT_ID).topic("ges-upgrades")
    sent = [json.loads((one.structure or {})["default"]) for one in topic.messages]
    assert [one.get("kind") or one["outcome"] for one in sent] == ["journal-started", "succeeded"]


def test_the_result_has_the_interfaces_shape_and_says_whether_state_is_kept(platform: Platform, cloud: Cloud) -> None:
    cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.4")
    result, plan = platform.invoke("command_reconcile"), platform.invoke("command_plan")
    keys = "schema run_id policy command dry_run now done summary decisions cursor outcomes notified pending errors"
    assert list(result) == [*keys.split(), "journal"]
    assert result["journal"].startswith("none: ")
    assert len(result["policy"]) == 12
    keys = "region project_id graph_id graph rule from_version target action reason until job_id"
    assert list(result["decisions"][0]) == keys.split()
    assert list(plan["decisions"][0]) == [*keys.split(), "checks", "earlier"]


@pytest.mark.parametrize("event", sorted(path.stem for path in EVENTS.glob("*.json")))
def test_every_event_of_the_folder_is_understood(platform: Platform, cloud: Cloud, event: str, tmp_path: Path) -> None:
    cloud.project("cn-north-4", PROJECT_ID).graph("orders", version="2.4.15")
    policy = f"notify: {TOPIC}\nreleases: [{{version: 2.4.15}}]\nstate: file://{tmp_path}/state\nrules: [{{name: prod}}]"
    assert platform.invoke(event, POLICY=policy)["errors"] == []


def test_short_run_hands_over_to_a_new_process(platform: Platform, cloud: Cloud, clock: VirtualClock) -> None:
    cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.4")
    assert len(platform.invoke("smn_release", seconds=SHORT)["pending"]) == 1
    cloud.meanwhile("ges.list_graphs", lambda: clock.sleep(60), after=2)  # the next run sees it in progress
    result = platform.invoke("timer_nightly")
    assert [one["outcome"] for one in result["outcomes"]] == ["succeeded"]
    assert len(cloud.upgrades) == 1


OWN: dict[str, str | None] = {"getPackage": "default", "getFunctionName": "ges-upgrader", "getVersion": "3"}


@pytest.mark.parametrize(("version", "named"), [({}, "3"), ({"getVersion": None}, "latest")], ids=["version", "no-version"])
def test_short_run_invokes_its_own_function(
    platform: Platform, cloud: Cloud, clock: VirtualClock, tmp_path: Path, version: dict[str, None], named: str
) -> None:
    cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.4")
    policy = f"{POLICY}\nfollow_up: invoke\nstate: file://{tmp_path}/state"
    platform.context = {**OWN, **version}
    result = platform.invoke("smn_release", seconds=SHORT, POLICY=policy)
    clock.sleep(60)
    assert (len(result["pending"]), result["errors"]) == (1, [])
    (invocation,) = cloud.invocations
    assert invocation.function_urn == f"urn:fss:cn-north-4:{PROJECT_ID}:function:default:ges-upgrader:{named}"
    event = tmp_path / "event.json"
    event.write_text(json.dumps(invocation.event))
    assert [one["outcome"] for one in platform.invoke(event, POLICY=policy)["outcomes"]] == ["succeeded"]
    assert len(cloud.invocations) == len(cloud.upgrades) == 1


@pytest.mark.parametrize("context", [{}, {**OWN, "getPackage": None}, {**OWN, "getFunctionName": ""}])
def test_function_without_known_urn_leaves_the_rest_to_timers(
    platform: Platform, cloud: Cloud, clock: VirtualClock, context: dict[str, str | None]
) -> None:
    cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.4")
    platform.context = context
    result = platform.invoke("smn_release", seconds=SHORT, POLICY=f"{POLICY}\nfollow_up: invoke")
    cloud.meanwhile("ges.list_graphs", lambda: clock.sleep(60), after=2)
    (error,) = result["errors"]
    assert "own URN is unknown" in error and "left to the next timer" in error
    assert cloud.invocations == []
    assert [one["outcome"] for one in platform.invoke("timer_nightly")["outcomes"]] == ["succeeded"]


@pytest.mark.parametrize(
    "fault", [faults.lost_answer(), faults.drop_connection(), faults.html()], ids=["lost", "dropped", "html"]
)
def test_faults_on_a_real_connection_start_one_upgrade_and_tell_one_result(
    platform: Platform, cloud: Cloud, fault: faults.Fault
) -> None:
    cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.4")
    cloud.fault("ges.upgrade_graph", fault)
    result = platform.invoke("smn_release")
    assert [one["outcome"] for one in result["outcomes"]] == ["succeeded"]
    assert len(cloud.upgrades) == 1
    assert len(cloud.project("cn-north-4", PROJECT_ID).topic("ges-upgrades").messages) == 1


def test_every_log_line_is_json_with_its_run_and_without_secrets(platform: Platform, cloud: Cloud) -> None:
    cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.4")
    result = platform.invoke("smn_release", LOG_LEVEL="DEBUG")
    assert {line["run_id"] for line in platform.log} == {result["run_id"]}
    assert {line["request_id"] for line in platform.log} == {"request-1"}
    assert {line["cold_start"] for line in platform.log} == {True}
    (started,) = [line for line in platform.log if line["event"] == "upgrade.started"]
    assert {"region", "project", "graph", "job"} <= set(started)
    assert SECRET_KEY not in json.dumps(platform.log)


def test_a_wrong_policy_only_sends_a_notice(platform: Platform, cloud: Cloud) -> None:
    result = platform.invoke("timer_nightly", POLICY=f"notify: {TOPIC}\nrules: [{{soak: 48, cutof: 3}}]")
    assert [error.split(":")[1].strip() for error in result["errors"]] == ["rules[0].soak", "rules[0].cutof"]
    assert [request.operation for request in cloud.requests] == ["smn.publish"]


def test_a_policy_file_is_read(platform: Platform, cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(POLICY)
    assert platform.invoke("command_plan", POLICY="", POLICY_FILE=str(tmp_path / "mine.yaml"))["errors"] == []
    missing = platform.invoke("command_plan", POLICY="", POLICY_FILE=str(tmp_path / "none.yaml"))
    assert "cannot be read" in missing["errors"][0]


def test_the_sample_policy_in_the_zip_starts_nothing(platform: Platform, cloud: Cloud) -> None:
    cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.4")
    result = platform.invoke("smn_release", POLICY="")
    assert result["decisions"][0]["reason"] == "paused"
    assert cloud.upgrades == []


def test_nothing_is_written_outside(platform: Platform, cloud: Cloud, tmp_path: Path) -> None:
    before = sorted(os.listdir(platform.unpacked))
    cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.4")
    platform.invoke("smn_release")
    assert sorted(os.listdir(platform.unpacked)) == before
    assert os.listdir(tmp_path) == []


def test_the_zip_is_inside_its_budget_and_holds_only_what_is_deployed() -> None:
    with zipfile.ZipFile(TARGET) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert TARGET.stat().st_size <= BUDGET
    assert "index.py" in names
    assert not tops & {
        "tests",
        "huaweicloud_simulator",
        "ges_upgrader_cli",
        "deploy",
        "benchmarks",
        "bson",
        "pymongo",
        "dns",
        "simplejson",
        "pip",
    }
    assert not [name for name in names if name.endswith(".pyc") or "/." in name]


def test_compiled_files_are_for_linux_on_x86_64_only() -> None:
    with zipfile.ZipFile(TARGET) as archive:
        compiled = [name for name in archive.namelist() if name.endswith((".so", ".pyd", ".dylib", ".dll"))]
        machines = {archive.read(name)[:4] + archive.read(name)[18:20] for name in compiled}
    assert machines == {b"\x7fELF\x3e\x00"}
    assert len(compiled) == 4
    assert all(name.startswith("msgspec/_core.cpython-3") and "x86_64-linux-gnu" in name for name in compiled)


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "again.zip", {**dependencies(), **own()})
    assert (tmp_path / "again.zip").read_bytes() == TARGET.read_bytes()
