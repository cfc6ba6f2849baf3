"""The log of a run as it comes: a line for each event that a person waits for; and the messages that were sent."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ges_upgrader_cli.shown.console import console

_TEXTS = {
    "run.started": "run {run_id:.8} began: {command}",
    "release.learned": "learned of release {version}",
    "fleet.observed": "found {graphs} graphs",
    "upgrade.started": "{graph}: upgrade to {to} started",
    "upgrade.refused": "{graph}: refused: {detail}",
    "job.seen": "{graph}: job {status}",
    "upgrade.ended": "{graph}: {outcome}",
    "notification.sent": "message sent: {event_id}",
    "command.recorded": "recorded: {command}",
    "error.reported": "error: {error}",
    "run.crashed": "error: {exception}",
}


class _Fields(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "?"


class RunLog:
    """`quiet`: nothing is shown."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet, self._out = quiet, console()
        self._said: set[str] = set()

    def line(self, text: str) -> None:
        """Shows a line of the function's log, if a person would want to see it."""
        try:
            entry = json.loads(text)
        except ValueError:
            self._show(text)
            return
        event = entry.get("event")
        if event in _TEXTS and not (event == "fleet.observed" and event in self._said):
            self._said.add(event)
            self._show(f"  {entry.get('time', '')[11:19]}  {_TEXTS[entry['event']].format_map(_Fields(entry))}")

    def messages(self, messages: Iterable[Any]) -> None:
        """Shows messages of the simulated SMN, as a mail has them."""
        for message in messages:
            self._show(f"\nMessage  {message.subject}")
            for line in ((message.structure or {}).get("email") or message.message or "").splitlines():
                self._show(f"  | {line}".rstrip())

    def _show(self, text: str) -> None:
        if not self._quiet:
            self._out.print(text, soft_wrap=True)
