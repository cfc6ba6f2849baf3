"""Functions and their triggers, as they were configured."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class Code:
    """A deployed zip. `type` and `filename` or `url` are as they were given."""

    content: bytes = b""
    type: str = "zip"
    filename: str = ""
    url: str = ""

    @property
    def digest(self) -> str:
        """SHA-512 of the zip (deploy.md 1.2)."""
        return hashlib.sha512(self.content).hexdigest()


@dataclass(slots=True)
class Trigger:
    """`data` is what the trigger was made with. `fired_until` says up to when a timer's firings have been delivered."""

    type: str
    data: dict[str, Any]
    created: datetime
    status: str = "ACTIVE"
    id: str = field(default_factory=lambda: str(uuid4()))
    fired_until: datetime | None = None

    @property
    def name(self) -> str:
        return str(self.data.get("name", ""))

    @property
    def topic_urn(self) -> str:
        return str(self.data.get("topic_urn", ""))


@dataclass(frozen=True, slots=True)
class Version:
    """A frozen copy of code and settings, without triggers (deploy.md 1.3)."""

    name: str
    description: str
    code: Code
    settings: dict[str, Any]


@dataclass(slots=True)
class Function:
    """`settings` are the optional and required fields of its configuration, as they were given last."""

    region: str
    project_id: str
    package: str
    name: str
    settings: dict[str, Any]
    code: Code
    modified: datetime
    strategy: dict[str, int] = field(default_factory=lambda: {"concurrency": -1, "concurrent_num": 1})
    triggers: list[Trigger] = field(default_factory=list)
    asynchronous: dict[str, Any] | None = None  # the configuration of asynchronous invocations
    versions: dict[str, Version] = field(default_factory=dict)
    aliases: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    test_events: dict[str, Any] = field(default_factory=dict)

    @property
    def urn(self) -> str:
        """Without a version."""
        return f"urn:fss:{self.region}:{self.project_id}:function:{self.package}:{self.name}"

    @property
    def agency(self) -> str:
        """The agency whose credentials the code gets: the execution agency, or else the configuration agency."""
        return str(self.settings.get("app_xrole") or self.settings.get("xrole") or "")
