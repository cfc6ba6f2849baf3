"""The zip on a runtime that has older copies of its libraries on board (deploy.md 8)."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ges_upgrader_cli.packaged.zip import TARGET

# The last two cannot be imported at all on the newest Pythons.
ON_BOARD = {
    "requests": "__version__ = '2.24.0'",
    "yaml": "__version__ = '5.1'",
    "tzdata": "__version__ = '2019.1'",
    "urllib3": "raise ImportError('urllib3.packages.six.moves')",
    "huaweicloudsdkcore": "raise ImportError('an old one')",
}
RUN = """
import json, sys
board, code, first = sys.argv[1:]
sys.path[:0] = [board, code]
if first: __import__(first)
import index
index.handler({}, None)
from huaweicloudsdkcore.signer.signer import Signer
print(json.dumps({name: sys.modules[name].__file__ for name in ("requests", "urllib3", "huaweicloudsdkcore")}))
"""


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder with the older copies, and one with the function."""
    board, code = tmp_path_factory.mktemp("board"), tmp_path_factory.mktemp("code")
    for name, text in ON_BOARD.items():
        (board / name).mkdir()
        (board / name / "__init__.py").write_text(text)
    with zipfile.ZipFile(TARGET) as archive:
        archive.extractall(code)
    return board, code


def run(runtime: tuple[Path, Path], first: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The first log line of a run after the runtime imported `first`, and where libraries came from."""
    command = [sys.executable, "-I", "-S", "-B", "-c", RUN, *map(str, runtime), first]
    ran = subprocess.run(command, env={}, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    return json.loads(lines[0]), json.loads(lines[-1])


def test_our_copies_come_first(runtime: tuple[Path, Path]) -> None:
    line, imported = run(runtime, "")
    assert {Path(path).parent.parent for path in imported.values()} == {runtime[1]}
    assert (line["event"], line["level"], line["cold_start"]) == ("instance.started", "info", True)
    assert "foreign" not in line


def test_first_line_names_versions_and_paths(runtime: tuple[Path, Path]) -> None:
    line, imported = run(runtime, "")
    assert line["python"] == ".".join(map(str, sys.version_info[:3]))
    pins = (Path(__file__).parents[2] / "requirements.txt").read_text().split()
    versions = dict(pin.split("==") for pin in pins if "==" in pin)
    for name in ("requests", "urllib3", "msgspec", "tzdata"):
        version, path = line["libraries"][name].split()
        assert versions[name].startswith(version)
        assert Path(path).parent.parent == runtime[1]
    assert line["time_zones"].endswith(f" {runtime[1]}/tzdata/zoneinfo")
    assert line["libraries"]["requests"].endswith(imported["requests"])
    assert line["libraries"]["huaweicloudsdkcore"] == imported["huaweicloudsdkcore"]


def test_old_copy_that_was_imported_before_is_a_warning(runtime: tuple[Path, Path]) -> None:
    line, _ = run(runtime, "tzdata")
    assert (line["level"], line["foreign"]) == ("warning", ["tzdata"])
    assert line["time_zones"].endswith(f" {runtime[1]}/tzdata/zoneinfo")
    assert line["libraries"]["tzdata"] == f"2019.1 {runtime[0]}/tzdata/__init__.py"
