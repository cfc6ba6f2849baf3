"""The Pythons of FunctionGraph that are on this machine: one that starts for each version, by its path.

A name on the path is no proof: pyenv puts one there for every version that it knows, and it starts only those chosen. What
lies beside those names is looked into.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

VERSIONS = ("3.10", "3.11", "3.12", "3.13")


def find() -> dict[str, str]:
    """Paths by version, the oldest first."""
    found = {}
    for version in VERSIONS:
        named = shutil.which(f"python{version}")
        beside = Path(named).parents[1].glob(f"versions/{version}.*/bin/python3") if named else ()
        for path in (named, *sorted(map(str, beside))):
            if path and _starts(path, version):
                found[version] = path
                break
    return found


def _starts(path: str, version: str) -> bool:
    code = f"import sys; sys.exit(sys.version_info[:2] != {tuple(map(int, version.split('.')))})"
    return subprocess.run([path, "-c", code], capture_output=True, check=False).returncode == 0


def main(arguments: list[str]) -> None:
    """Prints all of them, a line each; or the `newest` or the `oldest`."""
    found = list(find().values()) or [sys.executable]
    print("\n".join({"newest": found[-1:], "oldest": found[:1]}.get(" ".join(arguments), found)))


if __name__ == "__main__":
    main(sys.argv[1:])
