"""`python -m huaweicloud_simulator` runs without the rest of the repository, and prints how to reach it."""

from __future__ import annotations

import doctest
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkges.v2 import GesClient, ListGraphs2Request
from huaweicloudsdkges.v2.region.ges_region import GesRegion

import huaweicloud_simulator


@pytest.fixture
def printed(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables that the program asks to export. It runs from a copy of its own folder alone."""
    shutil.copytree(Path(huaweicloud_simulator.__file__).parent, tmp_path / "alone" / "huaweicloud_simulator")
    command = [sys.executable, "-m", "huaweicloud_simulator", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path / "alone", stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout
            variables: dict[str, str] = {}
            for line in program.stdout:
                if line.startswith("export "):
                    name, _, value = line.removeprefix("export ").strip().partition("=")
                    variables[name] = value
                if line.startswith("Ctrl-C"):
                    break
            yield variables
        finally:
            program.terminate()


def test_program_runs_alone_and_prints_its_endpoints(printed: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in printed.items():
        monkeypatch.setenv(name, value)
    names = ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_PROJECT_ID")
    credentials = BasicCredentials(*(printed[name] for name in names))
    ges = GesClient.new_builder().with_credentials(credentials).with_region(GesRegion.value_of("cn-north-4")).build()
    assert ges.list_graphs2(ListGraphs2Request()).graph_count >= 6


def test_documented_use_works() -> None:
    tried = doctest.testmod(huaweicloud_simulator)
    assert (tried.failed, tried.attempted > 10) == (0, True)
