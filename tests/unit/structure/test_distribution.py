"""What `pip install ges-upgrader` brings: the same pins as the function's, and typer and rich for the command line only."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
# What the others of the list need themselves.
INDIRECT = {"certifi", "charset-normalizer", "idna", "pyasn1", "six", "typing_extensions"}
TABLE = (ROOT / "pyproject.toml").read_text().split("[tool.", 1)[0]


def pins(name: str) -> set[str]:
    """The pins of a file of requirements."""
    return {line for line in (ROOT / name).read_text().split() if "==" in line}


def listed(name: str) -> set[str]:
    """The requirements in a list of pyproject.toml's project table (Python 3.10 reads no TOML)."""
    text = TABLE.split(f"\n{name} = ", 1)[1]
    return set(ast.literal_eval(text[: text.index("\n]") + 2 if text.startswith("[\n") else text.index("\n")]))


def test_wheel_needs_the_pins_of_the_function() -> None:
    assert listed("dependencies") == {pin for pin in pins("requirements.txt") if pin.split("==")[0] not in INDIRECT}


def test_extras_have_the_pins_of_the_tests() -> None:
    extras = listed("cli") | listed("simulator") | listed("dev")
    assert {one for one in extras if "==" in one} == pins("requirements-dev.txt") | pins("requirements-cli.txt")


@pytest.mark.parametrize("package", ["function/ges_upgrader", "huaweicloud_simulator", "ges_upgrader_cli/packaged"])
def test_only_the_command_line_needs_its_libraries(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        assert not re.search(r"^\s*(from|import) (typer|rich|icalendar)\b", path.read_text(), re.MULTILINE), path


def test_packages_are_typed() -> None:
    for package in ("function/ges_upgrader", "huaweicloud_simulator", "ges_upgrader_cli"):
        assert (ROOT / package / "py.typed").exists()


def test_hook_installs_what_a_check_needs() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert set(hook["additional_dependencies"]) <= listed("cli")
    code = "import sys, ges_upgrader_cli.app; print(*{name.split('.')[0] for name in sys.modules})"
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'function'}"}
    loaded = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True).stdout
    assert not {"greenlet", "icalendar", "responses", "werkzeug"} & set(loaded.split())
