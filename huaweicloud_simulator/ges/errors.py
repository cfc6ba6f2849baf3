"""The codes and messages with which GES refuses a call (ges.md 5.2; all of them HTTP 400)."""

from __future__ import annotations

from ..wire import Refusal

MESSAGES = {
    "GES.0001": "Incorrect parameter.",
    "GES.7000": "The graph does not exist or has been deleted.",
    "GES.7001": "The graph is not running.",
    "GES.7002": "The graph is being backed up.",
    "GES.7003": "The graph is being stopped or is stopped.",
    "GES.7016": "The request body or header is invalid.",
    "GES.7019": "The number of graph backups reaches the upper limit.",
    "GES.7024": "The graph backup does not exist or has been deleted.",
    "GES.7018": "The number of graphs reaches the upper limit.",
    "GES.7036": "The target version is earlier than the current version.",
    "GES.7037": "The graph is not in the Stopped state.",
    "GES.7042": "The graph is being created.",
    "GES.7048": "Invalid graph operation.",
    "GES.7049": "The parameter does not exist.",
    "GES.7050": "The parameter is empty.",
    "GES.7054": "The graph is being deleted or has been deleted.",
}

# GES upgrades and backs up only running graphs. Statuses that are not listed are GES.7001 (ges.md 3).
_BY_STATUS = {
    "100": "GES.7042",
    "400": "GES.7054",
    "900": "GES.7003",
    "901": "GES.7003",
    "903": "GES.7002",
}


def refusal(code: str) -> Refusal:
    return Refusal(400, code, MESSAGES[code])


def not_running(status: str) -> Refusal:
    return refusal(_BY_STATUS.get(status, "GES.7001"))
