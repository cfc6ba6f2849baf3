"""What other operators do with a graph on the console or by API: the job's name, and the status meanwhile.

`ImportGraph` is the only documented name of a job here. The others follow its pattern and are inferred (ges.md 4.2).
Only for start and restart is it documented which statuses allow them (ges.md 2.7, 5.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Operation = Literal[
    "ImportGraph",
    "ExportGraph",
    "ClearGraph",
    "StopGraph",
    "StartGraph",
    "RestartGraph",
    "ResizeGraph",
    "ExpandGraph",
    "CreateGraph",
]


@dataclass(frozen=True, slots=True)
class Kind:
    status: str  # while the job runs (ges.md 3)
    leaves: str = "200"  # the status after success
    allowed_in: tuple[str, ...] = ("200",)
    restarts_engine: bool = False


ROLLBACK = Kind("203", restarts_engine=True)
KINDS: dict[Operation, Kind] = {
    "ImportGraph": Kind("202"),
    "ExportGraph": Kind("204"),
    "ClearGraph": Kind("205"),
    "StopGraph": Kind("901", leaves="900"),
    "StartGraph": Kind("920", allowed_in=("900",), restarts_engine=True),
    "RestartGraph": Kind("920", allowed_in=("200", "202", "204", "205"), restarts_engine=True),
    "ResizeGraph": Kind("207", restarts_engine=True),
    "ExpandGraph": Kind("211"),
    "CreateGraph": Kind("100", restarts_engine=True),
}
