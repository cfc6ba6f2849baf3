"""GES on the wire: routes, checks, and the shapes of v2 and of v1.0 (ges.md 2 to 5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

from ..wire import Refusal, Request, Response, no_such_api
from .errors import not_running, refusal
from .models import Backup, Graph, Job

if TYPE_CHECKING:
    from ..cloud import Project

# The job centre's filter and the status it means: `waiting` is what its jobs call `pending` (ges.md 4.3).
_JOB_FILTERS = {
    "": "",
    "waiting": "pending",
    "running": "running",
    "success": "success",
    "failed": "failed",
    "partiallyFailed": "partiallyFailed",
}

Respond = Callable[["Project", Request, list[str]], Response]

# v1.0 spells some names in a way of its own (ges.md 2.3).
_V1_NAMES = {
    "sys_tags": "sys_tags",
    "enable_full_text_index": "enableFulltextIndex",
    "enable_rbac": "enableRBAC",
    "enable_hyg": "enableHyG",
}
_ONLY_V2 = (
    "product_type",
    "vertex_id_type",
    "origin_graph_size_type_index",
    "expand_time",
    "resize_time",
    "enable_multi_label",
    "capacity_ratio",
    "sort_key_type",
    "enable_lts",
)


def route(request: Request, parts: list[str]) -> tuple[str, Respond]:
    """The operation that a path means; the literals come before `{graph_id}` (ges.md 2.1)."""
    rest, method, v2 = parts[3:], request.method, parts[0] == "v2"
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


def _unknown(*_: Any) -> Response:
    raise no_such_api()


def list_graphs(project: Project, request: Request, _: list[str]) -> Response:
    page = _page(list(project.graphs.values()), request)
    shown = [_graph(graph, request.api) for graph in page]
    return Response.of(200, _named(request.api, {"graph_count": len(project.graphs), "graphs": shown}))


def show_graph(project: Project, request: Request, parts: list[str]) -> Response:
    return Response.of(200, {"graph": _graph(_find(project, parts[3]), request.api)})


def upgrade_graph(project: Project, request: Request, parts: list[str]) -> Response:
    if request.api == "v1.0" and request.query.get("action_id") != "upgrade":
        raise refusal("GES.7048")
    graph = _find(project, parts[3])
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
    _must_be_idle(graph)
    if _order(version) <= _order(graph.version):
        raise refusal("GES.7036")
    if version not in project.cloud.releases:
        raise refusal("GES.0001")
    upgrade = graph.begin_upgrade(version, force)
    return Response.of(200, _named(request.api, {"job_id": upgrade.job_id}))


def show_job(project: Project, request: Request, parts: list[str]) -> Response:
    graph, now = _find(project, parts[3]), project.cloud.clock.now()
    job = next((job for job in graph.jobs if job.id == parts[5] and job.known(now)), None)
    if job is None:
        raise Refusal(400, "GES.8301", f"can not find job, jobId is {parts[5]}")
    return Response.of(200, _named(request.api, _job(job, now)))


def list_jobs(project: Project, request: Request, _: list[str]) -> Response:
    """The job centre: days are without a time of day, names of graphs are whole (ges.md 4.3)."""
    now, query = project.cloud.clock.now(), request.query
    first, last = ("start_time", "end_time") if request.api == "v2" else ("startTime", "endTime")
    status = query.get("status", "")
    if status not in _JOB_FILTERS:
        raise refusal("GES.0001")
    begin, end = _day(query.get(first, "0001-01-01")), _day(query.get(last, "9999-12-31"))
    jobs = [
        job
        for graph in project.graphs.values()
        for job in graph.jobs
        if job.known(now)
        and _JOB_FILTERS[status] in ("", job.status(now))
        and query.get("graph_name", graph.name) == graph.name
        and begin <= job.begin.date() <= end
    ]
    shown = [_named(request.api, _job(job, now)) for job in _page(jobs, request)]
    return Response.of(200, _named(request.api, {"job_count": len(jobs), "job_list": shown}))


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
    return project.cloud.backup_quota - sum(len(graph.backups) for graph in project.graphs.values())


def _listed(backups: list[Backup], project: Project, request: Request) -> Response:
    now = project.cloud.clock.now()
    shown = [_named(request.api, _backup(backup, now)) for backup in _page(backups, request)]
    return Response.of(200, _named(request.api, {"backup_count": len(backups), "backup_list": shown}))


def _page(items: Iterable[Any], request: Request) -> list[Any]:
    """`offset` is the first record's number; `limit` is 10 where it is not given (ges.md 2.2)."""
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
    """Running, and without a backup under way, which status 200 does not show (ges.md 3, code 903)."""
    if graph.status != "200":
        raise not_running(graph.status)
    if graph.is_backing_up:
        raise refusal("GES.7002")


def _find(project: Project, graph_id: str) -> Graph:
    graph = project.graphs.get(graph_id)
    if graph is None:
        raise refusal("GES.7000")
    return graph


def _graph(graph: Graph, api: str) -> dict[str, Any]:
    """All fields of v2's model, action_progress only while it is created (ges.md 2.3), in the spelling of the API."""
    path = {
        "path": "ges-graphs/demo_movie/schema.xml",
        "job_id": "ff80808167bb90340167bc7445670428",
        "status": "success",
    }
    content: dict[str, Any] = {
        "id": graph.id,
        "name": graph.name,
        "created_by": "ges_user",
        "is_multi_az": "false",
        "region_code": graph.project.region,
        "az_code": f"{graph.project.region}a",
        "schema_path": [_named(api, path)],
        "edgeset_path": [_named(api, path)],
        "vertexset_path": [_named(api, path)],
        "edgeset_format": "csv",
        "edgeset_default_label": "",
        "vertexset_format": "csv",
        "vertexset_default_label": "",
        "data_store_version": graph.version,
        "sys_tags": [graph.enterprise_project],
        "status": graph.status,
        "graph_size_type_index": "1",
        "vpc_id": "2d8af840-fd57-4e3b-a8f1-cda0f55ccd99",
        "subnet_id": "dc018ec3-67d1-46c9-b2fc-19d83367f4e2",
        "security_group_id": "11d27338-8649-4076-8579-5ebc1a60f79e",
        "replication": 1,
        "created": _time(graph.created),
        "updated": _time(graph.updated),
        "private_ip": "192.168.0.4",
        "public_ip": "49.4.81.183",
        "traffic_ip_list": ["192.168.0.5", "192.168.0.6"],
        "arch": graph.arch,
        "encrypted": False,
        "master_key_id": None,
        "master_key_name": None,
        "enable_rbac": False,
        "enable_full_text_index": False,
        "enable_hyg": False,
        "crypt_algorithm": "generalCipher",
        "enable_https": False,
        "tags": [{"key": key, "value": value} for key, value in graph.tags.items()],
        "product_type": graph.product_type,
        "vertex_id_type": None,
        "origin_graph_size_type_index": "1",
        "expand_time": None,
        "resize_time": None,
        "enable_multi_label": False,
        "capacity_ratio": None,
        "sort_key_type": None,
        "enable_lts": False,
    }
    if graph.status == "100":
        content["action_progress"] = "35"
    dropped = {*graph.missing, *(_ONLY_V2 if api == "v1.0" else ())}
    return {**_named(api, {key: value for key, value in content.items() if key not in dropped}), **graph.extra}


def _job(job: Job, now: datetime) -> dict[str, Any]:
    """Flat; end_time and fail_reason only where there are any (ges.md 4.2)."""
    status = job.status(now)
    content = {
        "job_id": job.id,
        "job_type": "GraphManagement",
        "job_name": job.name,
        "related_graph": job.graph.name,
        "status": status,
        "begin_time": _time(job.begin) if status != "pending" else None,
        "end_time": _time(job.end) if now >= job.end else None,
        "fail_reason": job.failure if now >= job.end else None,
        "job_progress": 0,
    }
    return {key: value for key, value in content.items() if value is not None}


def _backup(backup: Backup, now: datetime) -> dict[str, Any]:
    content: dict[str, Any] = {
        "id": backup.id,
        "name": backup.name,
        "backup_method": backup.method,
        "graph_id": backup.graph.id,
        "graph_name": backup.graph.name,
        "graph_status": backup.graph.status,
        "graph_size_type_index": "1",
        "data_store_version": backup.version,
        "arch": backup.graph.arch,
        "status": backup.status(now),
        "start_timestamp": int(backup.begin.timestamp() * 1000),
        "start_time": _time(backup.begin),
        "size": 1,
        "encrypted": False,
    }
    if now >= backup.end:
        content["end_timestamp"] = int(backup.end.timestamp() * 1000)
        content["end_time"] = _time(backup.end)
        content["duration"] = int((backup.end - backup.begin).total_seconds())
    return content


def _named(api: str, content: dict[str, Any]) -> dict[str, Any]:
    """v1.0 says graphCount where v2 says graph_count."""
    if api == "v2":
        return content
    return {_V1_NAMES.get(key) or re.sub(r"_([a-z])", lambda m: m[1].upper(), key): value for key, value in content.items()}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in f"{version}.0".split(".")[:4])
