"""Notices that the function cannot observe a project, or understand its journal, and that this is over. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta

from ges_upgrader.domain.model import Project
from ges_upgrader.domain.plain_text import MOST_REASON, plain
from ges_upgrader.domain.timestamps import iso
from ges_upgrader.history.history import History
from ges_upgrader.history.records import AnyRecord, Noticed, Observed, Unobserved

_DAMAGED = "damaged:"


def sightings(
    history: History, seen: Collection[Project], lost: Mapping[Project, str], alert_after: timedelta, now: datetime
) -> Iterator[AnyRecord]:
    """What is to be recorded of the projects that were listed, and of those that could not be, each with its error."""
    if not history.readable:
        return
    for project in seen:
        began = history.observations.blind.get((project.region, project.project_id))
        if began is not None:
            yield Observed(at=now, region=project.region, project_id=project.project_id)
            if history.outbox.knows(_blind_id(began)):
                yield _observed_again(began, now)
    for project, error in lost.items():
        began = history.observations.blind.get((project.region, project.project_id))
        if began is None:
            yield Unobserved(at=now, region=project.region, project_id=project.project_id, error=plain(error, MOST_REASON))
        elif now - began.at >= alert_after and not history.outbox.knows(_blind_id(began)):
            yield _blind(began, error, now)


def lifted_damage(history: History, now: datetime) -> Iterator[Noticed]:
    """What was reported of the journal's damage, and no longer holds."""
    for event_id in history.outbox.reported(_DAMAGED):
        damage_id, notice_id = event_id.removeprefix(_DAMAGED), f"recovered:{event_id}"
        if damage_id not in history.controls.damages and not history.outbox.knows(notice_id):
            yield Noticed(
                at=now,
                notice_id=notice_id,
                notice_kind="recovered",
                subject="GES: damage of the journal was lifted",
                text=f"An operator lifted the damage {damage_id} of the journal. What it blocked can start again. "
                "You need to do nothing.",
            )


def journal_blind(state: str, since: datetime, error: str, now: datetime) -> Noticed:
    """The journal cannot be reached. One a day in UTC."""
    return Noticed(
        at=now,
        notice_id=f"blind:journal:{now:%Y-%m-%d}",
        notice_kind="blind",
        subject="GES upgrader: the journal cannot be reached",
        text=f"The journal at {state} cannot be reached since {iso(since)}: {plain(error, MOST_REASON)}.\n"
        "Nothing is started until it can be read. Running upgrades are followed and reported.\n"
        "Check that the bucket or folder exists, that the function's agency may read and write it, and that the service is "
        "available. This message is repeated once a day until the journal can be reached.",
    )


def journal_recovered(state: str, since: datetime, now: datetime) -> Noticed:
    return Noticed(
        at=now,
        notice_id=f"recovered:journal:{iso(since)}",
        notice_kind="recovered",
        subject="GES upgrader: the journal can be reached again",
        text=f"The journal at {state}, which could not be reached since {iso(since)}, can be read and written again. Upgrades "
        "start again. Send again what was announced meanwhile if a message says that it was not recorded.",
    )


def _blind_id(began: Unobserved) -> str:
    return f"blind:{began.region}:{began.project_id}:{iso(began.at)}"


def _blind(began: Unobserved, error: str, now: datetime) -> Noticed:
    return Noticed(
        at=now,
        notice_id=_blind_id(began),
        notice_kind="blind",
        subject=f"GES upgrader: the graphs of project {began.project_id} in {began.region} cannot be listed",
        text=f"The graphs of project {began.project_id} in {began.region} cannot be listed since {iso(began.at)}: "
        f"{plain(error, MOST_REASON)}.\n"
        "Nothing is started there, nor under rules that count graphs or wait for others. Nothing was changed: GES continues "
        "what is in progress.\n"
        "Check that the function's agency may list graphs in this project, that `projects` of the policy is right, and that "
        "GES is available in the region. Another message reports when the graphs can be listed again.",
    )


def _observed_again(began: Unobserved, now: datetime) -> Noticed:
    return Noticed(
        at=now,
        notice_id=f"recovered:{_blind_id(began)}",
        notice_kind="recovered",
        subject=f"GES upgrader: the graphs of project {began.project_id} in {began.region} are listed again",
        text=f"The graphs of project {began.project_id} in {began.region}, which could not be listed since {iso(began.at)}, "
        "are listed again. Upgrades start again as the policy says. You need to do nothing.",
    )
