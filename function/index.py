"""The entry points that FunctionGraph calls: `index.handler` and `index.initializer`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ges_upgrader.clock import SystemClock
from ges_upgrader.running.invocation import Instance

_INSTANCE = Instance(Path(__file__).parent, SystemClock())


def initializer(context: object) -> None:
    """Called once an instance. What every run needs came with the import of this module; the rest is imported when needed."""


def handler(event: object, context: object) -> dict[str, Any]:
    """Called for each event; the result that interface.md describes. Faults are entries of its `errors`.

    Raises Forgotten, so that the platform delivers the event again if it would be lost otherwise.
    """
    return _INSTANCE.invoke(event, context)
