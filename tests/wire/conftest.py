"""The official SDK clients, against the simulator as a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials

from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, serve
from huaweicloud_simulator.server import Server
from tests.builders import PROJECT_ID


@pytest.fixture(autouse=True)
def _home_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The SDK writes ~/.huaweicloud/application_id."""
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud()
    cloud.release("2.4.9", "2.4.15")
    cloud.project("cn-north-4", PROJECT_ID)
    return cloud


@pytest.fixture
def server(cloud: Cloud) -> Iterator[Server]:
    with serve(cloud) as running:
        yield running


@pytest.fixture
def credentials() -> BasicCredentials:
    return BasicCredentials(ACCESS_KEY, SECRET_KEY, PROJECT_ID)


def payload(name: str) -> Any:
    return json.loads((Path(__file__).parent / "payloads" / f"{name}.json").read_text())
