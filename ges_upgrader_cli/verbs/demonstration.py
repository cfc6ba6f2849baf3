"""`ges-upgrader try`: five days of a small fleet in some seconds, on the simulated cloud and a virtual clock."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ges_upgrader_cli.fleets.functions import SimulatedFunction
from ges_upgrader_cli.packaged.files import events
from ges_upgrader_cli.shown.console import console, paragraph, show_json
from ges_upgrader_cli.shown.options import AsJson

_ZONE = ZoneInfo("Asia/Shanghai")
_STEP, _LENGTH = timedelta(hours=2), timedelta(days=4, hours=18)  # from Monday to within Saturday's window
_TIMER = {"version": "v1.0", "trigger_type": "TIMER", "trigger_name": "two-hourly", "user_event": ""}
_NEXT = (
    ("ges-upgrader plan --simulator", "what would be done with this fleet now"),
    ("ges-upgrader explain orders --simulator", "why a graph waits, and what would make it earlier"),
    ("ges-upgrader invoke smn_release", "the packaged function on this fleet; then: invoke command_approve"),
)
_WORDS = {
    "awaiting-approval": "waiting for approval",
    "up-to-date": "up to date",
    "outside-window": "waits for its window",
    "after-rule": "waits for the rule before it",
    "not-running": "not running",
    "opted-out": "opted out by its tag",
    "no-rule": "no rule matches",
    "quarantined": "left alone after the failure",
}


_ENDED = {"succeeded": "upgraded", "rolled-back": "rolled back"}


class Moment(msgspec.Struct, frozen=True):
    """Something that happened. `text` begins with the graph or `message`."""

    at: datetime
    text: str


class Story:
    """The function and its fleet from one event to the next."""

    def __init__(self) -> None:
        from ges_upgrader_cli.fleets.demo import POLICY
        from huaweicloud_simulator import demo

        self.function = SimulatedFunction(POLICY, demo.BEGIN)
        self.function.cloud.upgrade_duration = timedelta(minutes=12)
        demo.add_fleet(self.function.cloud)
        self.begin, self.release, self._topic = demo.BEGIN, demo.VERSION, demo.NOTIFY_TOPIC
        self.decisions: list[dict[str, Any]] = []
        self.ended: dict[str, str] = {}
        self.timeline: list[Moment] = []
        self._reasons: dict[str, str] = {}
        self._messages = 0

    def tell(self) -> Iterator[None]:
        """Yields after each event of which something came."""
        clock = self.function.virtual_clock
        event = json.loads(events()["smn_release"].read_text(encoding="utf-8"))
        self._note(f"GES {self.release} is announced")
        while True:
            told = len(self.timeline)
            self._take(self.function.ask(event))
            if len(self.timeline) > told or event is not _TIMER:
                yield
            event = _TIMER
            if clock.now() >= self.begin + _LENGTH:
                return
            clock.sleep(_STEP.total_seconds())

    def _take(self, result: Mapping[str, Any]) -> None:
        self.decisions = sorted(result["decisions"], key=lambda one: str(one["graph"]))
        names = {one["graph_id"]: one["graph"] for one in self.decisions}
        for one in result["outcomes"]:
            graph = names[one["graph_id"]]
            self.ended[graph] = _ENDED.get(one["outcome"], one["outcome"])
            detail = f": {one['detail']}" if one["detail"] else ""
            self._note(f"{graph} {self.ended[graph]}, {one['from_version']} to {one['to_version']}{detail}")
        for one in self.decisions:
            graph, reason = one["graph"], one["reason"]
            if one["action"] in ("wait", "blocked") and self._reasons.get(graph) != reason:
                self._note(f"{graph} {_WORDS.get(reason, reason)}")
            self._reasons[graph] = reason
        for error in result["errors"]:
            self._note(f"error: {error}")
        topic = self.function.cloud.topic(self._topic)
        messages = topic.messages if topic else []
        for message in messages[self._messages :]:
            self._note(f"message: {message.subject}")
        self._messages = len(messages)

    def _note(self, text: str) -> None:
        self.timeline.append(Moment(self.function.clock.now(), text))

    @property
    def summary(self) -> str:
        """`2 upgraded, 1 rolled back, 1 waiting for approval, 4 left alone`."""
        counts = Counter(self._kind(one) for one in self.decisions)
        order = ("upgraded", "rolled back", "waiting for approval", "waiting", "left alone")
        return ", ".join(f"{counts[kind]} {kind}" for kind in order if counts[kind])

    def _kind(self, one: Mapping[str, Any]) -> str:
        if one["graph"] in self.ended:
            return self.ended[one["graph"]]
        if one["reason"] == "awaiting-approval":
            return "waiting for approval"
        return "waiting" if one["until"] or one["reason"] in ("after-rule", "soaking") else "left alone"


def try_it(
    fast: Annotated[bool, typer.Option("--fast", help="Do not pause between the events.")] = False,
    as_json: AsJson = False,
) -> None:
    """Watch five days of a small fleet in some seconds, on a simulated cloud: nothing is needed and nothing is changed."""
    story, out = Story(), console()
    if as_json:
        for _ in story.tell():
            pass
        show_json({"timeline": msgspec.to_builtins(story.timeline), "decisions": story.decisions, "summary": story.summary})
        return
    paragraph(out, "Five days of eight graphs, on a simulated cloud and a virtual clock. Nothing real is touched.\n")
    if out.is_terminal:
        _watch(out, story, pause=0 if fast else 0.7)
    else:
        _print(out, story)
    paragraph(out, f"\n{story.summary}", style="bold")
    out.print("\nTo go on:")
    width = max(len(command) for command, _ in _NEXT) + 4
    for command, meaning in _NEXT:
        paragraph(out, meaning, indent=width, first=f"  {command}") if out.width >= 100 else _narrow(out, command, meaning)


def _narrow(out: Console, command: str, meaning: str) -> None:
    out.print(f"  {command}", soft_wrap=True)
    paragraph(out, meaning, indent=6)


def _watch(out: Console, story: Story, pause: float) -> None:
    """The table changes in its place, with the last of the timeline below it."""
    with Live(console=out, refresh_per_second=10, transient=False) as live:
        for _ in story.tell():
            live.update(Group(_now(story), table_of(story), Text(), *(_moment(one) for one in story.timeline[-8:])))
            time.sleep(pause)


def _print(out: Console, story: Story) -> None:
    """The timeline as it comes, then the table."""
    said = 0
    for _ in story.tell():
        for one in story.timeline[said:]:
            paragraph(out, one.text, indent=17, first=_stamp(one.at))
        said = len(story.timeline)
    with out.capture() as captured:
        out.print(table_of(story))
    for line in ["", *captured.get().splitlines()]:
        out.print(line.rstrip(), soft_wrap=True)


def table_of(story: Story) -> Table:
    """The graphs by rule, as they are now."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("rule", "graph", "version", "state"):
        table.add_column(heading)
    rules = [rule.name for rule in story.function.policy.rules]
    for one in sorted(story.decisions, key=lambda one: (rules.index(one["rule"]) if one["rule"] else len(rules), one["graph"])):
        graph = next(graph for graph in _graphs(story) if graph.id == one["graph_id"])
        state, style = _state(story, one)
        table.add_row(one["rule"] or "-", one["graph"], graph.version, Text(state, style=style))
    return table


def _state(story: Story, one: Mapping[str, Any]) -> tuple[str, str]:
    ended = story.ended.get(one["graph"])
    if ended is not None:
        return ended, "green" if ended == "upgraded" else "red"
    return _WORDS.get(one["reason"], one["reason"]), "yellow" if one["action"] in ("wait", "blocked") else "dim"


def _graphs(story: Story) -> Iterator[Any]:
    return (graph for project in story.function.cloud.projects.values() for graph in project.graphs.values())


def _now(story: Story) -> Text:
    return Text(f"{_stamp(story.function.clock.now())} Asia/Shanghai\n", style="bold")


def timeline_of(story: Story) -> list[Text]:
    """All that happened, a line each."""
    return [_moment(one) for one in story.timeline]


def _moment(one: Moment) -> Text:
    return Text(f"{_stamp(one.at):<17}{one.text}", no_wrap=True, overflow="ellipsis")


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(timezone.utc).astimezone(_ZONE):%a %d %b %H:%M}"
