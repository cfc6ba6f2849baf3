"""`python -m huaweicloud_simulator`: it says how to reach it, and an official client that does as it says gets there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkges.v2 import GesClient, ListGraphs2Request
from huaweicloudsdkges.v2.region.ges_region import GesRegion

ROOT = Path(__file__).parents[2]


@pytest.fixture
def printed() -> Iterator[dict[str, str]]:
    """The variables that the program tells to export."""
    command = [sys.executable, "-m", "huaweicloud_simulator", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
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


def test_a_client_that_exports_what_is_printed_sees_the_demo(printed: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in printed.items():
        monkeypatch.setenv(name, value)
    names = ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_PROJECT_ID")
    credentials = BasicCredentials(*(printed[name] for name in names))
    ges = GesClient.new_builder().with_credentials(credentials).with_region(GesRegion.value_of("cn-north-4")).build()
    assert ges.list_graphs2(ListGraphs2Request()).graph_count >= 6
