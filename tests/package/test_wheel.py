"""The wheel in an empty environment: it does what the checkout can."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ges_upgrader_cli.packaged.files import own
from ges_upgrader_cli.packaged.zip import WHEELS, dependencies, write

ROOT = Path(__file__).parents[2]
POLICY = "examples/policies/canary.yaml"


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    ran = subprocess.run(
        list(map(str, command)), cwd=cwd, env={**kept, **variables}, capture_output=True, text=True, check=False, timeout=300
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_wheel_does_what_the_checkout_does(tmp_path: Path) -> None:
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", ROOT, "--wheel-dir", tmp_path, cwd=tmp_path)
    (wheel,) = tmp_path.glob("ges_upgrader-*.whl")
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python, command = tmp_path / "venv" / "bin" / "python", tmp_path / "venv" / "bin" / "ges-upgrader"
    run(python, "-m", "pip", "install", "--quiet", "--no-compile", f"{wheel}[cli]", cwd=tmp_path)
    shutil.copy(ROOT / POLICY, tmp_path / "policy.yaml")

    assert "policy.yaml" in run(command, "check", cwd=tmp_path)
    assert "2 upgraded, 1 rolled back" in run(command, "try", cwd=tmp_path)

    shutil.copytree(WHEELS, tmp_path / "cache" / "ges-upgrader" / "wheels")
    run(command, "package", cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    write(tmp_path / "checkout.zip", {**dependencies(), **own()})
    assert (tmp_path / "dist" / "function.zip").read_bytes() == (tmp_path / "checkout.zip").read_bytes()
