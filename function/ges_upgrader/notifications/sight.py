"""Notices that the function cannot observe a project, or understand its journal, and that this is over. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from ges_upgrader.domain.model import Project
from ges_upgrader.domain.plain_text import MOST_NAME, MOST_REASON, plain
from ges_upgrader.domain.timestamps import iso
from ges_upgrader.history.history import History
from ges_upgrader.history.observations import blind_notice_id
from ges_upgrader.history.records import AnyRecord, Noticed, Observed, Unobserved
from ges_upgrader.notifications.texts import noticed

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
            if history.outbox.knows(blind_notice_id(began)):
                yield _observed_again(began, now)
    for project, error in lost.items():
        began = history.observations.blind.get((project.region, project.project_id))
        if began is None:
            yield Unobserved(at=now, region=project.region, project_id=project.project_id, error=plain(error, MOST_REASON))
        elif now - began.at >= alert_after and not history.outbox.knows(blind_notice_id(began)):
            yield _blind(began, error, now)


def lifted_damage(history: History, now: datetime) -> Iterator[Noticed]:
    """What was reported of the journal's damage, and no longer holds."""
    for event_id in history.outbox.reported(_DAMAGED):
        damage_id, notice_id = event_id.removeprefix(_DAMAGED), f"recovered:{event_id}"
        if damage_id not in history.controls.damages and not history.outbox.knows(notice_id):
            yield noticed("recovered:damage", notice_id, now, damage=damage_id)


def journal_blind(state: str, since: datetime, error: str, now: datetime) -> Noticed:
    """The journal cannot be reached. One a day in UTC."""
    notice_id = f"blind:journal:{now:%Y-%m-%d}"
    return noticed("blind:journal", notice_id, now, state=_shown(state), since=iso(since), error=plain(error, MOST_REASON))


def journal_recovered(state: str, since: datetime, now: datetime) -> Noticed:
    return noticed("recovered:journal", f"recovered:journal:{iso(since)}", now, state=_shown(state), since=iso(since))


def _shown(state: str) -> str:
    return plain(state, MOST_NAME)


def _blind(began: Unobserved, error: str, now: datetime) -> Noticed:
    return noticed("blind", blind_notice_id(began), now, **_place(began), error=plain(error, MOST_REASON))


def _observed_again(began: Unobserved, now: datetime) -> Noticed:
    return noticed("recovered", f"recovered:{blind_notice_id(began)}", now, **_place(began))


def _place(began: Unobserved) -> dict[str, Any]:
    return {"project": began.project_id, "region": began.region, "since": iso(began.at)}
