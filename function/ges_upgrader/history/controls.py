"""What operators decided: pauses and approvals; and the damage of the journal that holds until they have looked. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec

from ges_upgrader.domain.version import Version
from ges_upgrader.history.records import Approved, Paused, Resumed, Unpaused


class Damage(msgspec.Struct, frozen=True):
    """A record that cannot be understood: damaged, half-written, or of a later version of the function.

    `where` names it, `why` says what is wrong. Only a whole record can say what it is about: `graph_id`, or `rule`; if it
    does not, it is about everything. `subject` is the attempt or the backup that it begins, if it says that.
    """

    id: str
    where: str
    why: str
    graph_id: str | None = None
    rule: str | None = None
    subject: str | None = None


class Controls:
    """`pauses` by rule and graph id, None for all; `damages` by their ids."""

    def __init__(self) -> None:
        self.pauses: dict[tuple[str | None, str | None], Paused] = {}
        self.damages: dict[str, Damage] = {}
        self._approvals: dict[tuple[Version, str | None, str | None], datetime] = {}

    def approved_at(self, version: Version, rule: str, graph_id: str) -> datetime | None:
        """When the version was last approved for the rule or the graph."""
        found = (self._approvals.get((version, rule, None)), self._approvals.get((version, None, graph_id)))
        return max(filter(None, found), default=None)

    def approvals(self) -> dict[tuple[Version, str | None, str | None], datetime]:
        """Every approval by version, rule and graph, with its time; the expired ones too."""
        return dict(self._approvals)

    def paused(self, rule: str, graph_id: str) -> Paused | None:
        """The widest pause that covers the graph."""
        keys: tuple[tuple[str | None, str | None], ...] = ((None, None), (rule, None), (None, graph_id))
        return next((self.pauses[key] for key in keys if key in self.pauses), None)

    def orphaned(self, rules: Collection[str]) -> list[Paused]:
        """The pauses of rules that are not among these."""
        return [pause for (rule, _), pause in self.pauses.items() if rule is not None and rule not in rules]

    def damaged(self, rule: str, graph_id: str, rules: Collection[str]) -> Damage | None:
        """A damage of the journal in whose scope the graph is. That of a rule not among `rules` covers everything."""
        for one in self.damages.values():
            if one.graph_id in (None, graph_id) and (one.rule in (None, rule) or one.rule not in rules):
                return one
        return None

    def suffer(self, damage: Damage) -> None:
        """Takes in that a record could not be understood. `resume` lifts it."""
        self.damages[damage.id] = damage

    def approve(self, record: Approved) -> None:
        self._approvals[record.version, record.rule, record.graph_id] = record.at

    def pause(self, record: Paused) -> None:
        self.pauses.setdefault((record.rule, record.graph_id), record)

    def resume(self, record: Unpaused | Resumed) -> None:
        if isinstance(record, Resumed) and record.version is not None:
            return
        for rule, graph_id in list(self.pauses):
            if record.rule in (None, rule) and record.graph_id in (None, graph_id):
                del self.pauses[rule, graph_id]
        for damage in list(self.damages.values()):
            if record.rule in (None, damage.rule) and record.graph_id in (None, damage.graph_id):
                del self.damages[damage.id]
