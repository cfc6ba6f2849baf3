"""The Pythons of FunctionGraph that are on this machine: one that starts for each version, by its path.

A name on the path is no proof: pyenv puts one there for every version that it knows, and it starts only those chosen. What
lies beside those names is looked into.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

VERSIONS = ("3.10", "3.11", "3.12", "3.13")


def find(versions: Iterable[str] = VERSIONS) -> dict[str, str]:
    """Paths by version."""
    found = {}
    for version in versions:
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


if __name__ == "__main__":
    print("\n".join(find(sys.argv[1:] or VERSIONS).values()))
