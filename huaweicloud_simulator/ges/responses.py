"""The management plane on the wire: routes, checks and answers of v2 and v1.0 (ges.md 2 to 5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timezone
from typing import Any, TypeGuard

from ..gateway.addresses import Target
from ..projects import Project
from ..wire import Answer, InternalError, Refusal, Request, Response, no_such_api
from .errors import not_running, refusal
from .models import Backup, Graph, Job
from .operating import OF_V2, create_graph
from .shapes import backup_shown, graph_shown, job_shown, spelled
from .upgrades import order

# The job centre's filter, and the status that it selects. The filter `waiting` selects jobs that are `pending` (ges.md 4.3).
_JOB_FILTERS = {
    "": "",
    "waiting": "pending",
    "running": "running",
    "success": "success",
    "failed": "failed",
    "partiallyFailed": "partiallyFailed",
}

_UPGRADE_FIELDS = {"v2": ("upgrade_version", "force_upgrade"), "v1.0": ("upgradeVersion", "forceUpgrade")}

Respond = Callable[[Project, Request, list[str]], Response]


def route(projects: Mapping[str, Project], request: Request, target: Target) -> tuple[str, Answer]:
    """The operation of a request. The project must exist when the answer is asked for."""
    parts = target.parts
    operation, respond = _operation(request.method, parts)
    return operation, lambda: respond(projects[parts[1]], request, parts)


def _operation(method: str, parts: list[str]) -> tuple[str, Respond]:
    """Literals such as `jobs` come before `{graph_id}` (ges.md 2.1)."""
    api, *rest = parts[0], *parts[3:]
    if (api, method, rest) == ("v2", "POST", []):
        found: tuple[str, Respond] | None = ("create_graph", create_graph)
    elif not rest or rest[0] in _LITERALS:
        found = _OF_A_PROJECT.get((method, *rest))
    else:
        shape = ("*" if number in (0, 2) else part for number, part in enumerate(rest))
        found = {**_OF_A_GRAPH, **_OF_A_GRAPH_IN[api]}.get((method, *shape))
    return found or ("unknown", _unknown)


def _unknown(*_: object) -> Response:
    no_such_api()


def list_graphs(project: Project, request: Request, _: list[str]) -> Response:
    page = _page(list(project.graphs.values()), project, request)
    shown = [graph_shown(graph, request.api) for graph in page]
    return Response.of(200, spelled(request.api, {"graph_count": len(project.graphs), "graphs": shown}))


def show_graph(project: Project, request: Request, parts: list[str]) -> Response:
    return Response.of(200, {"graph": graph_shown(_find(project, parts[3]), request.api)})


def upgrade_graph(project: Project, request: Request, parts: list[str]) -> Response:
    if request.api == "v1.0" and request.query.get("action_id") != "upgrade":
        raise refusal("GES.7048")
    graph = _find(project, parts[3])
    version, force = _requested(request)
    _must_be_idle(graph)
    _must_be_possible(project, graph, version)
    upgrade = graph.begin_upgrade(version, force)
    return Response.of(200, spelled(request.api, {"job_id": upgrade.job_id}))


def _must_be_possible(project: Project, graph: Graph, version: str) -> None:
    if order(version) <= order(graph.version):
        raise refusal("GES.7036")
    if version not in project.ges.releases and not project.ges.accepts_unknown_versions:
        raise refusal("GES.0001")


def _requested(request: Request) -> tuple[str, bool]:
    """The target version and whether to force."""
    body = request.json
    if not isinstance(body, dict):
        raise refusal("GES.7016")
    version_name, force_name = _UPGRADE_FIELDS[request.api]
    version, force = body.get(version_name), body.get(force_name, False)
    if version is None:
        raise refusal("GES.7049")
    if version == "":
        raise refusal("GES.7050")
    if not _is_version(version) or not isinstance(force, bool):
        raise refusal("GES.0001")
    return version, force


def _is_version(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and re.fullmatch(r"\d+(\.\d+){2,3}", value) is not None


def show_job(project: Project, request: Request, parts: list[str]) -> Response:
    now = project.ges.clock.now()
    job = _find_job(_find(project, parts[3]), parts[5], now)
    if job.unreadable is not None:
        raise _unreadable(job.unreadable)
    return Response.of(200, spelled(request.api, job_shown(job, now)))


def _find_job(graph: Graph, job_id: str, now: datetime) -> Job:
    for job in graph.jobs:
        if job.id == job_id and job.known(now):
            return job
    raise Refusal(400, "GES.8301", f"can not find job, jobId is {job_id}")


def _unreadable(status: int) -> Refusal:
    """The caller may not read the job, or GES cannot (ges.md 5.2, 5.3)."""
    if status == 403:
        return Refusal(403, "APIGW.0302", "The request is not authorised")
    return Refusal(500, "GES.8302", "Job query error.") if status == 500 else InternalError(status)


def list_jobs(project: Project, request: Request, _: list[str]) -> Response:
    """The job centre. It filters by whole days and by whole names of graphs (ges.md 4.3)."""
    now, wanted = project.ges.clock.now(), _filter(request, project.ges.clock.now())
    known = (job for graph in project.graphs.values() for job in graph.jobs if job.known(now))
    jobs = list(filter(wanted, known))
    shown = [spelled(request.api, job_shown(job, now)) for job in _page(jobs, project, request)]
    return Response.of(200, spelled(request.api, {"job_count": len(jobs), "job_list": shown}))


def _filter(request: Request, now: datetime) -> Callable[[Job], bool]:
    query, v2 = request.query, request.api == "v2"
    if query.get("status", "") not in _JOB_FILTERS:
        raise refusal("GES.0001")
    status, name = _JOB_FILTERS[query.get("status", "")], query.get("graph_name")
    first = _day(query.get("start_time" if v2 else "startTime", "0001-01-01"))
    last = _day(query.get("end_time" if v2 else "endTime", "9999-12-31"))

    def wanted(job: Job) -> bool:
        named = name in (None, job.graph.name)
        return named and status in ("", job.status(now)) and first <= job.begin.date() <= last

    return wanted


def create_backup(project: Project, request: Request, parts: list[str]) -> Response:
    graph = _find(project, parts[3])
    _must_be_idle(graph)
    if _backups_left(project) < 1:
        raise refusal("GES.7019")
    job, backup = graph.begin_backup()
    content = {"job_id": job.id, "backup_id": backup.id} if request.api == "v2" else {"jobId": job.id}
    return Response.of(200, content)


def list_backups(project: Project, request: Request, _: list[str]) -> Response:
    return _listed([backup for graph in project.graphs.values() for backup in graph.backups], project, request)


def list_graph_backups(project: Project, request: Request, parts: list[str]) -> Response:
    return _listed(_find(project, parts[3]).backups, project, request)


def delete_backup(project: Project, _: Request, parts: list[str]) -> Response:
    graph = _find(project, parts[3])
    kept = [backup for backup in graph.backups if backup.id != parts[5]]
    if len(kept) == len(graph.backups):
        raise refusal("GES.7024")
    graph.backups[:] = kept
    return Response.of(200, {})


def show_quotas(project: Project, request: Request, _: list[str]) -> Response:
    graph = {"type": "graph", "available": 10, "edge_volume" if request.api == "v2" else "edgeVolume": 178800}
    backup = {"type": "backup", "available": _backups_left(project)}
    return Response.of(200, {"quotas": {"resources": [graph, backup, {"type": "metadata", "available": 13}]}})


def _backups_left(project: Project) -> int:
    return project.ges.backup_quota - sum(len(graph.backups) for graph in project.graphs.values())


def _listed(backups: list[Backup], project: Project, request: Request) -> Response:
    now = project.ges.clock.now()
    shown = [spelled(request.api, backup_shown(backup, now)) for backup in _page(backups, project, request)]
    return Response.of(200, spelled(request.api, {"backup_count": len(backups), "backup_list": shown}))


def _page(items: Iterable[Any], project: Project, request: Request) -> list[Any]:
    """`offset` is the number of the first record. `limit` is 10 by default (ges.md 2.2), and at most `largest_page`."""
    try:
        offset, limit = int(request.query.get("offset", "0")), int(request.query.get("limit", "10"))
    except ValueError:
        raise refusal("GES.0001") from None
    if offset < 0 or limit < 1:
        raise refusal("GES.0001")
    return list(items)[offset : offset + min(limit, project.ges.largest_page or limit)]


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=timezone.utc).date()
    except ValueError:
        raise refusal("GES.0001") from None


def _must_be_idle(graph: Graph) -> None:
    """Running, and without a backup in progress, which status 200 hides (ges.md 3, code 903)."""
    if graph.status != "200":
        raise not_running(graph.status)
    if graph.is_backing_up:
        raise refusal("GES.7002")


def _find(project: Project, graph_id: str) -> Graph:
    graph = project.graphs.get(graph_id)
    if graph is None:
        raise refusal("GES.7000")
    return graph


_LITERALS = ("jobs", "backups", "quotas", "metadatas", "scenes")  # where other paths have the id of a graph
# By the method and the rest of the path; `*` is an id.
_OF_A_PROJECT: dict[tuple[str, ...], tuple[str, Respond]] = {
    ("GET",): ("list_graphs", list_graphs),
    ("GET", "jobs"): ("list_jobs", list_jobs),
    ("GET", "backups"): ("list_backups", list_backups),
    ("GET", "quotas"): ("show_quotas", show_quotas),
}
_OF_A_GRAPH: dict[tuple[str, ...], tuple[str, Respond]] = {
    ("GET", "*"): ("show_graph", show_graph),
    ("GET", "*", "jobs", "*", "status"): ("show_job", show_job),
    ("POST", "*", "backups"): ("create_backup", create_backup),
    ("GET", "*", "backups"): ("list_graph_backups", list_graph_backups),
    ("DELETE", "*", "backups", "*"): ("delete_backup", delete_backup),
}
_OF_A_GRAPH_IN: dict[str, dict[tuple[str, ...], tuple[str, Respond]]] = {
    "v2": {("POST", "*", "upgrade"): ("upgrade_graph", upgrade_graph), **OF_V2},
    "v1.0": {("POST", "*", "action"): ("upgrade_graph", upgrade_graph)},
}
