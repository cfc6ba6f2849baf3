"""Which libraries an instance really runs with: older copies of them lie on board of the runtime (deploy.md 8)."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

# huaweicloudsdkcore is imported with the first call. Of tzdata only the data are used; its package is small.
_NAMES = ("requests", "urllib3", "msgspec", "yaml", "structlog", "tzdata", "huaweicloudsdkcore")


def libraries(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Version and path of each library, and the names of those that come from elsewhere although `folder` holds them.

    What is not imported has a path and no version.
    """
    with suppress(ImportError):
        import_module("tzdata")
    found = {name: " ".join(filter(None, (_version(name), _path(name)))) for name in _NAMES}
    foreign = [name for name in _NAMES if (folder / name).is_dir() and not _path(name).startswith(f"{folder}/")]
    return found, foreign


def _version(name: str) -> str:
    module = sys.modules.get(name)
    return str(vars(module).get("__version__", "")) if module else ""  # structlog's __getattr__ raises without metadata


def _path(name: str) -> str:
    module = sys.modules.get(name)
    try:
        spec = module.__spec__ if module else find_spec(name)
        return spec.origin or "" if spec else "not found"
    except Exception as error:  # whatever an importer of the runtime raises
        return f"not found: {type(error).__name__}"
