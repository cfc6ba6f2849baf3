"""GES's management plane, v2 and v1.0: a function a call, in our nouns (ges.md 2). Nothing but JSON objects is relied on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Literal
from urllib.parse import quote

from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.cloud.ges.decoding import decode_backup, decode_graph, decode_job, text_of
from ges_upgrader.cloud.transport import ALWAYS, ONLY_THROTTLED, Call, Transport
from ges_upgrader.domain.model import Backup, Graph, Job, Project
from ges_upgrader.domain.version import Version

PAGE = 100
_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)
_UNKNOWN_JOB = ("GES.8301", "GES.7007")
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
            graph = decode_graph(project, item)
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
        return decode_graph(project, found if isinstance(found, Mapping) else answer)

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
        job_id = text_of(answer, "job_id", "jobId")
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
        return decode_job(wrapped if isinstance(wrapped, Mapping) else answer, job_id)

    def list_jobs(self, project: Project, graph: str, since: datetime) -> list[Job]:
        """The job centre's jobs about the graph of that name since that day, the newest first (ges.md 4.3)."""
        start = "start_time" if self._speaks(project.region) == "v2" else "startTime"
        query = {"graph_name": graph, start: since.strftime("%Y-%m-%d")}
        items, _ = self._pages(project, "list_jobs", "/jobs", query, ("job_list", "jobList"), ("job_count", "jobCount"))
        jobs = [decode_job(item, "") for item in items]
        named = [job for job in jobs if job.id and job.graph in (None, graph)]
        return sorted(named, key=lambda job: job.began_at or _LONG_AGO, reverse=True)

    def list_backups(self, project: Project, graph_id: str) -> list[Backup]:
        """The graph's backups, by any hand, the newest first (ges.md 2.6). Raises CloudError."""
        path = f"/{_segment(graph_id)}/backups"
        names = ("backup_list", "backupList"), ("backup_count", "backupCount")
        items, _ = self._pages(project, "list_graph_backups", path, {}, *names)
        found = [decode_backup(item, graph_id) for item in items if text_of(item, "id")]
        return sorted(found, key=lambda backup: backup.began_at or _LONG_AGO, reverse=True)

    def backups_left(self, project: Project) -> int | None:
        """How many more backups the project's quota allows; None: GES does not say. Raises CloudError."""
        quotas = self._call(project, "show_quotas", "GET", "/quotas").get("quotas")
        resources = quotas.get("resources") if isinstance(quotas, Mapping) else None
        for resource in resources if isinstance(resources, list) else ():
            if isinstance(resource, Mapping) and resource.get("type") == "backup":
                available = text_of(resource, "available")
                return int(available) if available and re.fullmatch(r"[0-9]+", available) else None
        return None

    def create_backup(self, project: Project, graph_id: str, before: datetime | None = None) -> str:
        """Begins a backup, and not at `before` or later; its job id.

        Raises CloudError, whose `may_have_acted` says whether to look.
        """
        answer = self._call(project, "create_backup", "POST", f"/{_segment(graph_id)}/backups", before=before)
        job_id = text_of(answer, "job_id", "jobId")
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
            fresh = [item for item in page if (text_of(item, "id", "job_id", "jobId") or "") not in seen]
            seen.update(text_of(item, "id", "job_id", "jobId") or "" for item in fresh)
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
        code = text_of(answer, "error_code", "errorCode", "errCode")
        if code:
            message = text_of(answer, "error_msg", "errorMessage", "externalMessage") or ""
            raise CloudError("ges", operation, project.region, 200, code, message[:500])
        return answer


def _segment(text: str) -> str:
    return quote(text, safe="")
