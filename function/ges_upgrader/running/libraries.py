"""Which libraries an instance really runs with: older copies of them lie on board of the runtime (deploy.md 8)."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

# Of the last two a run imports what it needs later, if at all.
_NAMES = ("requests", "urllib3", "msgspec", "yaml", "structlog", "tzdata", "huaweicloudsdkcore")


def libraries(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Version and path of each library, and the names of those that `folder` holds but that come from elsewhere.

    What is not imported yet has no version. Nothing is imported.
    """
    found: dict[str, str] = {}
    foreign: list[str] = []
    for name in _NAMES:
        module = sys.modules.get(name)
        path = str(getattr(module, "__file__", None) or (None if module else _origin(name)) or "not found")
        found[name] = " ".join(filter(None, (str(getattr(module, "__version__", "")), path)))
        if (folder / name).is_dir() and not path.startswith(f"{folder}/"):
            foreign.append(name)
    return found, foreign


def _origin(name: str) -> str | None:
    try:
        spec = find_spec(name)
    except Exception:  # whatever an importer of the runtime raises
        return None
    return spec.origin if spec else None
