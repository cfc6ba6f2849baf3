"""GES's management plane, v2 and v1.0: a function a call, in our nouns (ges.md 2). Nothing but JSON objects is relied on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import quote

from upgrader.model import Backup, Graph, Job, Project, Status
from upgrader.versions import Version

from .errors import CloudError
from .transport import ALWAYS, ONLY_THROTTLED, Call, Transport

PAGE = 100
MOST_TEXT = 4000  # of what GES says in its own words
_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)
_UNKNOWN_JOB = ("GES.8301", "GES.7007")
_JOB_STATUSES = ("pending", "running", "success", "failed", "partiallyFailed")
_BACKUP_STATUSES = ("backing_up", "success", "failed")
_UNKNOWN_GRAPH = ("GES.7000", "GES.7054")

Api = Literal["auto", "v2", "v1.0"]


class Ges:
    """`api` auto is v2, and v1.0 in a region whose gateway does not know v2's paths (APIGW.0101)."""

    def __init__(self, transport: Transport, api: Api) -> None:
        self._transport = transport
        self._api = api
        self._spoken: dict[str, str] = {}

    def list_graphs(self, project: Project) -> tuple[list[Graph], list[str]]:
        """The graphs of the project, and what is known to be missing of them. Raises CloudError."""
        items, total = self._pages(project, "list_graphs", "", {}, ("graphs",), ("graph_count", "graphCount"))
        remarks = []
        graphs: dict[str, Graph] = {}
        for item in items:
            graph = _graph(project, item)
            if graph is None:
                remarks.append(f"ges list_graphs in {project.region}: an entry without an id was left alone")
            else:
                graphs[graph.id] = graph
        if total is not None and len(graphs) < total:
            remarks.append(f"ges list_graphs in {project.region}: {len(graphs)} of {total} graphs were listed")
        return list(graphs.values()), remarks

    def show_graph(self, project: Project, graph_id: str) -> Graph | None:
        """None: there is no such graph. Raises CloudError."""
        try:
            answer = self._call(project, "show_graph", "GET", f"/{_segment(graph_id)}")
        except CloudError as error:
            if error.code in _UNKNOWN_GRAPH:
                return None
            raise
        found = answer.get("graph")
        return _graph(project, found if isinstance(found, Mapping) else answer)

    def upgrade_graph(
        self, project: Project, graph_id: str, version: Version, force: bool, before: datetime | None = None
    ) -> str:
        """Starts an upgrade, and not at `before` or later; its job id (ges.md 2.4).

        Raises CloudError, whose `may_have_acted` says whether to look.
        """
        if self._speaks(project.region) == "v2":
            answer = self._call(
                project,
                "upgrade_graph",
                "POST",
                f"/{_segment(graph_id)}/upgrade",
                body={"upgrade_version": version.text, "force_upgrade": force},
                before=before,
            )
        else:
            answer = self._call(
                project,
                "upgrade_graph",
                "POST",
                f"/{_segment(graph_id)}/action",
                {"action_id": "upgrade"},
                {"upgradeVersion": version.text, "forceUpgrade": force},
                before,
            )
        job_id = _text(answer, "job_id", "jobId")
        if job_id is None:
            region = project.region
            raise CloudError("ges", "upgrade_graph", region, 200, "unreadable", "the answer names no job", may_have_acted=True)
        return job_id

    def show_job(self, project: Project, graph_id: str, job_id: str) -> Job | None:
        """None: GES knows no such job. Raises CloudError."""
        try:
            answer = self._call(project, "show_job", "GET", f"/{_segment(graph_id)}/jobs/{_segment(job_id)}/status")
        except CloudError as error:
            if error.code in (*_UNKNOWN_JOB, *_UNKNOWN_GRAPH):
                return None
            raise
        wrapped = answer.get("job")
        return _job(wrapped if isinstance(wrapped, Mapping) else answer, job_id)

    def list_jobs(self, project: Project, graph: str, since: datetime) -> list[Job]:
        """The job centre's jobs about the graph of that name since that day, the newest first (ges.md 4.3)."""
        start = "start_time" if self._speaks(project.region) == "v2" else "startTime"
        query = {"graph_name": graph, start: since.strftime("%Y-%m-%d")}
        items, _ = self._pages(project, "list_jobs", "/jobs", query, ("job_list", "jobList"), ("job_count", "jobCount"))
        jobs = [_job(item, "") for item in items]
        named = [job for job in jobs if job.id and job.graph in (None, graph)]
        return sorted(named, key=lambda job: job.began_at or _LONG_AGO, reverse=True)

    def list_backups(self, project: Project, graph_id: str) -> list[Backup]:
        """The graph's backups, by any hand, the newest first (ges.md 2.6). Raises CloudError."""
        path = f"/{_segment(graph_id)}/backups"
        names = ("backup_list", "backupList"), ("backup_count", "backupCount")
        items, _ = self._pages(project, "list_graph_backups", path, {}, *names)
        found = [_backup(item, graph_id) for item in items if _text(item, "id")]
        return sorted(found, key=lambda backup: backup.began_at or _LONG_AGO, reverse=True)

    def backups_left(self, project: Project) -> int | None:
        """How many more backups the project's quota allows; None: GES does not say. Raises CloudError."""
        quotas = self._call(project, "show_quotas", "GET", "/quotas").get("quotas")
        resources = quotas.get("resources") if isinstance(quotas, Mapping) else None
        for resource in resources if isinstance(resources, list) else ():
            if isinstance(resource, Mapping) and resource.get("type") == "backup":
                available = _text(resource, "available")
                return int(available) if available and re.fullmatch(r"[0-9]+", available) else None
        return None

    def create_backup(self, project: Project, graph_id: str, before: datetime | None = None) -> str:
        """Begins a backup, and not at `before` or later; its job id.

        Raises CloudError, whose `may_have_acted` says whether to look.
        """
        answer = self._call(project, "create_backup", "POST", f"/{_segment(graph_id)}/backups", before=before)
        job_id = _text(answer, "job_id", "jobId")
        if job_id is None:
            region = project.region
            raise CloudError("ges", "create_backup", region, 200, "unreadable", "the answer names no job", may_have_acted=True)
        return job_id

    def delete_backup(self, project: Project, graph_id: str, backup_id: str) -> None:
        """Raises CloudError."""
        self._call(project, "delete_backup", "DELETE", f"/{_segment(graph_id)}/backups/{_segment(backup_id)}")

    def _pages(
        self,
        project: Project,
        operation: str,
        path: str,
        query: Mapping[str, str],
        items_names: tuple[str, ...],
        total_names: tuple[str, ...],
    ) -> tuple[list[Mapping[str, Any]], int | None]:
        """All pages, whatever page size the service really gives; a page without anything new is the last."""
        items: list[Mapping[str, Any]] = []
        seen: set[str] = set()
        while True:
            page_query = {**query, "offset": str(len(items)), "limit": str(PAGE)}
            answer = self._call(project, operation, "GET", path, page_query)
            found: list[Any] | None = next((answer[name] for name in items_names if isinstance(answer.get(name), list)), None)
            total = next((answer[name] for name in total_names if isinstance(answer.get(name), int)), None)
            if found is None and total != 0:
                raise CloudError("ges", operation, project.region, 200, "unreadable", f"the answer has no {items_names[0]}")
            page = [item for item in found or () if isinstance(item, Mapping)]
            fresh = [item for item in page if (_text(item, "id", "job_id", "jobId") or "") not in seen]
            seen.update(_text(item, "id", "job_id", "jobId") or "" for item in fresh)
            items += fresh
            if not fresh or (total is not None and len(items) >= total):
                return items, total

    def _speaks(self, region: str) -> str:
        return self._spoken.get(region) or ("v2" if self._api == "auto" else self._api)

    def _call(
        self,
        project: Project,
        operation: str,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        before: datetime | None = None,
    ) -> dict[str, Any]:
        api = self._speaks(project.region)
        call = Call(
            service="ges",
            operation=operation,
            region=project.region,
            project_id=project.project_id,
            method=method,
            path=f"/{api}/{_segment(project.project_id)}/graphs{path}",
            query=query or {},
            body=body,
            repeat=ALWAYS if method == "GET" else ONLY_THROTTLED,
            before=before,
        )
        try:
            answer = self._transport.call(call)
        except CloudError as error:
            undecided = self._api == "auto" and project.region not in self._spoken
            if undecided and error.code == "APIGW.0101" and method == "GET":
                self._spoken[project.region] = "v1.0"
                return self._call(project, operation, method, path, query, body)
            raise
        self._spoken.setdefault(project.region, api)
        code = _text(answer, "error_code", "errorCode", "errCode")
        if code:
            message = _text(answer, "error_msg", "errorMessage", "externalMessage") or ""
            raise CloudError("ges", operation, project.region, 200, code, message[:500])
        return answer


def _graph(project: Project, item: Mapping[str, Any]) -> Graph | None:
    graph_id = _text(item, "id")
    if not graph_id:
        return None
    return Graph(
        project=project,
        id=graph_id,
        name=_text(item, "name") or graph_id,
        version=_version(_text(item, "data_store_version", "dataStoreVersion")),
        status=Status(_text(item, "status") or ""),
        tags=_tags(item.get("tags")),
        enterprise_project=_enterprise_project(item.get("sys_tags", item.get("sysTags"))),
        product_type=_text(item, "product_type", "productType") or _product_type(item),
        arch=_text(item, "arch"),
        addresses=_addresses(item),
        https=item.get("enable_https", item.get("enableHttps")) in (True, "true"),
    )


def _product_type(item: Mapping[str, Any]) -> str:
    """What it is where it is not told, as by v1.0: InMemory, and Persistence of the size 6 (ges.md 2.3)."""
    return "Persistence" if _text(item, "graph_size_type_index", "graphSizeTypeIndex") == "6" else "InMemory"


def _addresses(item: Mapping[str, Any]) -> tuple[str, ...]:
    """private_ip, then traffic_ip_list, then public_ip, each once; what is no IP address is left out (ges.md 2.3)."""
    traffic = item.get("traffic_ip_list", item.get("trafficIpList"))
    shown = [
        item.get("private_ip", item.get("privateIp")),
        *(traffic if isinstance(traffic, list) else ()),
        item.get("public_ip", item.get("publicIp")),
    ]
    return tuple(dict.fromkeys(one for one in shown if isinstance(one, str) and _is_ip(one)))


@lru_cache(maxsize=4096)  # a fleet is listed again and again
def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _backup(item: Mapping[str, Any], graph_id: str) -> Backup:
    return Backup(
        id=_text(item, "id") or "",
        graph_id=_text(item, "graph_id", "graphId") or graph_id,
        status=_spelled(_text(item, "status") or "", _BACKUP_STATUSES),
        began_at=_time(_text(item, "start_time", "startTime")) or _milliseconds(item, "start_timestamp", "startTimestamp"),
        ended_at=_time(_text(item, "end_time", "endTime")) or _milliseconds(item, "end_timestamp", "endTimestamp"),
    )


def _job(item: Mapping[str, Any], job_id: str) -> Job:
    return Job(
        id=_text(item, "job_id", "jobId") or job_id,
        status=_spelled(_text(item, "status") or "", _JOB_STATUSES),
        name=_text(item, "job_name", "jobName"),
        graph=_text(item, "related_graph", "relatedGraph"),
        began_at=_time(_text(item, "begin_time", "beginTime")),
        ended_at=_time(_text(item, "end_time", "endTime")),
        fail_reason=(_text(item, "fail_reason", "failReason") or "")[:MOST_TEXT] or None,
    )


def _spelled(status: str, statuses: Sequence[str]) -> str:
    """As ges.md spells it (2.6, 4.2)."""
    return next((known for known in statuses if known.lower() == status.lower()), status)


def _text(item: Mapping[str, Any], *names: str) -> str | None:
    """The first of the names that holds a text or a number."""
    for name in names:
        value = item.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
            return str(value)
    return None


@lru_cache(maxsize=1024)
def _version(text: str | None) -> Version | None:
    try:
        return Version(text) if text else None
    except ValueError:
        return None


def _tags(value: Any) -> dict[str, str]:
    """v2: a list of {key, value}; v1.0's type is only said to be an object (ges.md 2.3)."""
    if isinstance(value, Mapping):
        return {str(key): str(text) for key, text in value.items()}
    pairs = value if isinstance(value, list) else []
    return {str(pair["key"]): str(pair.get("value") or "") for pair in pairs if isinstance(pair, Mapping) and "key" in pair}


def _enterprise_project(value: Any) -> str | None:
    """`["<id>"]`, or `[{key: _sys_enterprise_project_id, value: <id>}]` in older answers (ges.md 2.3)."""
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, str):
            return entry
        if isinstance(entry, Mapping) and entry.get("key") == "_sys_enterprise_project_id":
            return str(entry.get("value"))
    return None


def _time(text: str | None) -> datetime | None:
    """UTC, with a T or a blank between date and time (ges.md 4.2)."""
    try:
        return datetime.strptime((text or "")[:19].replace(" ", "T"), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def _milliseconds(item: Mapping[str, Any], *names: str) -> datetime | None:
    """Since 1970 (ges.md 2.6)."""
    try:
        return datetime.fromtimestamp(int(_text(item, *names) or "") / 1000, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None


def _segment(text: str) -> str:
    return quote(text, safe="")
