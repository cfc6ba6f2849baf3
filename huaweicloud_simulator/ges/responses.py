"""The management plane on the wire: routes, checks and answers of v2 and v1.0 (ges.md 2 to 5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timezone
from typing import Any

from ..gateway.addresses import Target
from ..projects import Project
from ..wire import Answer, InternalError, Refusal, Request, Response, no_such_api
from .errors import not_running, refusal
from .models import Backup, Graph, Job
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

Respond = Callable[[Project, Request, list[str]], Response]


def route(projects: Mapping[str, Project], request: Request, target: Target) -> tuple[str, Answer]:
    """The operation of a request. The project must exist when the answer is asked for."""
    parts = target.parts
    operation, respond = _operation(request.method, parts)
    return operation, lambda: respond(projects[parts[1]], request, parts)


def _operation(method: str, parts: list[str]) -> tuple[str, Respond]:
    """Literals such as `jobs` come before `{graph_id}` (ges.md 2.1)."""
    rest, v2 = parts[3:], parts[0] == "v2"
    fixed: dict[tuple[str, tuple[str, ...]], tuple[str, Respond]] = {
        ("GET", ()): ("list_graphs", list_graphs),
        ("GET", ("jobs",)): ("list_jobs", list_jobs),
        ("GET", ("backups",)): ("list_backups", list_backups),
        ("GET", ("quotas",)): ("show_quotas", show_quotas),
    }
    if (method, tuple(rest)) in fixed:
        return fixed[method, tuple(rest)]
    if rest and rest[0] in ("jobs", "backups", "quotas", "metadatas", "scenes"):
        return "unknown", _unknown
    shape = (method, *("*" if number in (0, 2) else part for number, part in enumerate(rest)))
    found: dict[tuple[str, ...], tuple[str, Respond]] = {
        ("GET", "*"): ("show_graph", show_graph),
        ("GET", "*", "jobs", "*", "status"): ("show_job", show_job),
        ("POST", "*", "backups"): ("create_backup", create_backup),
        ("GET", "*", "backups"): ("list_graph_backups", list_graph_backups),
        ("DELETE", "*", "backups", "*"): ("delete_backup", delete_backup),
        ("POST", "*", "upgrade" if v2 else "action"): ("upgrade_graph", upgrade_graph),
    }
    return found.get(shape, ("unknown", _unknown))


def _unknown(*_: object) -> Response:
    no_such_api()


def list_graphs(project: Project, request: Request, _: list[str]) -> Response:
    page = _page(list(project.graphs.values()), request)
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
    if order(version) <= order(graph.version):
        raise refusal("GES.7036")
    if version not in project.ges.releases and not project.ges.accepts_unknown_versions:
        raise refusal("GES.0001")
    upgrade = graph.begin_upgrade(version, force)
    return Response.of(200, spelled(request.api, {"job_id": upgrade.job_id}))


def _requested(request: Request) -> tuple[str, bool]:
    """The target version and whether to force."""
    body = request.json
    if not isinstance(body, dict):
        raise refusal("GES.7016")
    version = body.get("upgrade_version" if request.api == "v2" else "upgradeVersion")
    force = body.get("force_upgrade" if request.api == "v2" else "forceUpgrade", False)
    if version is None:
        raise refusal("GES.7049")
    if version == "":
        raise refusal("GES.7050")
    if not isinstance(version, str) or not isinstance(force, bool) or not re.fullmatch(r"\d+(\.\d+){2,3}", version):
        raise refusal("GES.0001")
    return version, force


def show_job(project: Project, request: Request, parts: list[str]) -> Response:
    graph, now = _find(project, parts[3]), project.ges.clock.now()
    job = next((job for job in graph.jobs if job.id == parts[5] and job.known(now)), None)
    if job is None:
        raise Refusal(400, "GES.8301", f"can not find job, jobId is {parts[5]}")
    if job.unreadable is not None:
        raise _unreadable(job.unreadable)
    return Response.of(200, spelled(request.api, job_shown(job, now)))


def _unreadable(status: int) -> Refusal:
    """The caller may not read the job, or GES cannot (ges.md 5.2, 5.3)."""
    if status == 403:
        return Refusal(403, "APIGW.0302", "The request is not authorised")
    return Refusal(500, "GES.8302", "Job query error.") if status == 500 else InternalError(status)


def list_jobs(project: Project, request: Request, _: list[str]) -> Response:
    """The job centre. It filters by whole days and by whole names of graphs (ges.md 4.3)."""
    now, wanted = project.ges.clock.now(), _filter(request, project.ges.clock.now())
    jobs = [job for graph in project.graphs.values() for job in graph.jobs if job.known(now) and wanted(job)]
    shown = [spelled(request.api, job_shown(job, now)) for job in _page(jobs, request)]
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
    shown = [spelled(request.api, backup_shown(backup, now)) for backup in _page(backups, request)]
    return Response.of(200, spelled(request.api, {"backup_count": len(backups), "backup_list": shown}))


def _page(items: Iterable[Any], request: Request) -> list[Any]:
    """`offset` is the number of the first record. `limit` is 10 by default (ges.md 2.2)."""
    try:
        offset, limit = int(request.query.get("offset", "0")), int(request.query.get("limit", "10"))
    except ValueError:
        raise refusal("GES.0001") from None
    if offset < 0 or limit < 1:
        raise refusal("GES.0001")
    return list(items)[offset : offset + limit]


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
