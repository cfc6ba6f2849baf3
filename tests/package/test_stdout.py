"""The zip with a stdout that takes no line, or not every character, before and after the call that upgrades."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ges_upgrader_cli.packaged.zip import TARGET
from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, serve
from huaweicloud_simulator.server import Server
from huaweicloud_simulator.wire import Request, Response
from tests.builders import PROJECT_ID, TOPIC

EVENT = Path(__file__).parents[2] / "events" / "smn_release.json"
NAME = "图库 😀 \u202e"

INVOKE = """
import io, json, os, resource, sys
code, event, result, project, stdout = sys.argv[1:]
if stdout == "closed": sys.stdout.close()
elif stdout == "none": sys.stdout = None
elif stdout == "limited": resource.setrlimit(resource.RLIMIT_FSIZE, (1500, resource.RLIM_INFINITY))
elif stdout not in ("full", "breaks"): sys.stdout = io.TextIOWrapper(sys.stdout.buffer, stdout)
sys.path.insert(0, code)
import index

class Context:
    def getProjectID(self): return project
    def getRemainingTimeInMilliSeconds(self): return 60000

returned = index.handler(json.load(open(event, encoding="utf-8")), Context())
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
with open(result, "w", encoding="utf-8") as file: json.dump(returned, file)
os._exit(0)
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zip")
    with zipfile.ZipFile(TARGET) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud()
    cloud.upgrade_duration = timedelta(seconds=1)
    cloud.release("2.4.9", "2.4.15")
    project = cloud.project("cn-north-4", PROJECT_ID)
    project.topic("ges-upgrades")
    project.graph(NAME, version="2.4.4")
    return cloud


@pytest.fixture
def server(cloud: Cloud) -> Iterator[Server]:
    with serve(cloud) as running:
        yield running


def invoke(unpacked: Path, server: Server, folder: Path, mode: str, stdout: Any) -> dict[str, Any]:
    environment = {
        "POLICY": f"notify: {TOPIC}\nrules: [{{max_concurrent: 5}}]",
        "HUAWEICLOUD_SDK_AK": ACCESS_KEY,
        "HUAWEICLOUD_SDK_SK": SECRET_KEY,
        "LOG_LEVEL": "DEBUG",
        **server.environment("cn-north-4"),
    }
    arguments = [str(unpacked), str(EVENT), str(folder / "result.json"), PROJECT_ID, mode]
    command = [sys.executable, "-I", "-S", "-B", "-c", INVOKE, *arguments]
    ran = subprocess.run(command, env=environment, stdout=stdout, stderr=subprocess.PIPE, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr.decode()
    return dict(json.loads((folder / "result.json").read_text()))


def upgraded_once(result: dict[str, Any], cloud: Cloud) -> bool:
    return [one["outcome"] for one in result["outcomes"]] == ["succeeded"] and (
        result["errors"],
        result["notified"],
        len(cloud.upgrades),
    ) == ([], 1, 1)


@pytest.mark.parametrize("mode", ["ascii", "latin-1", "gbk", "utf-16", "closed", "none", "limited"])
def test_stdout_of_any_kind(unpacked: Path, server: Server, cloud: Cloud, tmp_path: Path, mode: str) -> None:
    with (tmp_path / "stdout").open("wb") as stdout:
        assert upgraded_once(invoke(unpacked, server, tmp_path, mode, stdout), cloud)
    written = (tmp_path / "stdout").read_bytes()
    if mode in ("ascii", "latin-1", "gbk", "utf-16"):
        lines = [json.loads(line) for line in written.decode(mode).splitlines()]
        assert {line.get("graph") for line in lines} >= {"图库 😀 �"}
        assert lines[-1]["event"] == "run.ended"


def test_full_stdout(unpacked: Path, server: Server, cloud: Cloud, tmp_path: Path) -> None:
    with open("/dev/full", "wb") as stdout:
        assert upgraded_once(invoke(unpacked, server, tmp_path, "full", stdout), cloud)


@pytest.mark.parametrize(
    "operation", [None, "ges.upgrade_graph", "smn.publish"], ids=["at-once", "at-the-call", "at-the-message"]
)
def test_pipe_that_breaks(
    unpacked: Path, server: Server, cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str | None
) -> None:
    reader, writer = os.pipe()
    handle = cloud.handle

    def breaking(request: Request) -> Response:
        nonlocal reader
        response = handle(request)
        if request.operation == operation and reader:
            os.close(reader)
            reader = 0
        return response

    monkeypatch.setattr(cloud, "handle", breaking)
    if operation is None:
        os.close(reader)
    try:
        assert upgraded_once(invoke(unpacked, server, tmp_path, "breaks", writer), cloud)
    finally:
        os.close(writer)
    assert operation is None or reader == 0
