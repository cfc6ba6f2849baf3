"""The entry points that FunctionGraph calls: `index.handler` and `index.initializer`.

Older copies of our libraries lie on board of the runtime (deploy.md 8). So the folder of this file comes first on the path
before anything is imported from it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from ges_upgrader.clock import SystemClock
from ges_upgrader.running.invocation import Instance

_INSTANCE = Instance(Path(os.path.abspath(__file__)).parent, SystemClock())


def initializer(context: object) -> None:
    """Called once an instance. What every run needs came with the import of this module; the rest is imported when needed."""


def handler(event: object, context: object) -> dict[str, Any]:
    """Called for each event; the result that interface.md describes. Faults are entries of its `errors`.

    Raises Unrecorded, so that the platform delivers the event again if it would be lost otherwise.
    """
    return _INSTANCE.invoke(event, context)
