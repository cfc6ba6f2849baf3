"""`ges-upgrader simulator`: the simulated cloud as a server of its own."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import run

ROOT = Path(__file__).parents[2]
FLEET = "graphs:\n  - {name: demo, version: 2.4.9}\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables that it prints."""
    (tmp_path / "fleet.yaml").write_text(FLEET)
    command = [sys.executable, "-m", "ges_upgrader_cli", "simulator", "--port", "0", "--fleet", str(tmp_path / "fleet.yaml")]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'function'}", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines: list[str] = []
        while not (lines and "Ctrl-C" in lines[-1]):
            lines.append(process.stdout.readline())
            assert lines[-1], "the server ended"
        yield dict(re.findall(r"^export (\w+)=(\S+)$", "".join(lines), re.MULTILINE))
        process.terminate()


def test_commands_ask_a_served_fleet(server: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    topic = f"urn:smn:cn-north-4:{server['HUAWEICLOUD_SDK_PROJECT_ID']}:ges-upgrades"
    (tmp_path / "policy.yaml").write_text(f"notify: {topic}\nreleases: [{{version: 2.4.15}}]\nstate: none\nrules: [{{}}]\n")
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    ran = run("plan", "--policy", tmp_path / "policy.yaml")
    assert (ran.exit_code, "demo  2.4.9 to 2.4.15  upgrade  due" in ran.stdout) == (0, True), ran.output


def test_taken_port_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = run("simulator", "--port", str(taken.getsockname()[1]))
    assert (ran.exit_code, ran.stdout, "--port" in ran.stderr) == (2, "", True)
