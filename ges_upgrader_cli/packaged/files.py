"""Where the function's files are: in the checkout, or in the installed wheel, which carries them as package data."""

from __future__ import annotations

from pathlib import Path

import ges_upgrader

PACKAGE = Path(ges_upgrader.__file__).parent
_CHECKOUT = Path(__file__).parents[2]
_INSTALLED = Path(__file__).parent / "files"
IS_CHECKOUT = PACKAGE == _CHECKOUT / "function" / "ges_upgrader"


def requirements() -> str:
    """The pins of what the function needs at run time."""
    return _place("requirements.txt").read_text()


def template() -> str:
    """The description of a deployment."""
    return _place("template.yaml").read_text()


def schema() -> str:
    """The JSON Schema of the policy."""
    return _place("policy.schema.json").read_text()


def events() -> dict[str, Path]:
    """The example events, by their names without `.json`."""
    return {path.stem: path for path in sorted(_place("events").glob("*.json"))}


def own() -> dict[str, bytes]:
    """What the zip has of ours, by its place in it: everything in function/ that git would keep, less what is for checkers."""
    paths = {path.relative_to(PACKAGE.parent): path for path in PACKAGE.rglob("*") if path.is_file()}
    paths |= {Path(name): _place(f"function/{name}") for name in ("index.py", "policy.yaml")}
    return {name.as_posix(): path.read_bytes() for name, path in paths.items() if _is_deployed(name)}


def _is_deployed(name: Path) -> bool:
    return name.name != "py.typed" and not any(part.startswith((".", "__pycache__")) for part in name.parts)


def _place(name: str) -> Path:
    return (_CHECKOUT if IS_CHECKOUT else _INSTALLED) / name
