"""GES's management plane, v2 and v1.0: a method a call, in our nouns (ges.md 2). Only JSON objects are relied on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Literal

import msgspec

from ges_upgrader.cloud.answers import accepted, objects_in, text_of
from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.cloud.ges.codes import PASSING, UNKNOWN_GRAPH, UNKNOWN_JOB
from ges_upgrader.cloud.ges.decoding import decode_backup, decode_graph, decode_job
from ges_upgrader.cloud.ges.pages import Page, Pages, read_page, read_pages
from ges_upgrader.cloud.transport import ALWAYS, ONLY_THROTTLED, Call, Transport
from ges_upgrader.domain.jobs import Backup, Job
from ges_upgrader.domain.model import Graph, Project
from ges_upgrader.domain.version import Version

PAGE = 100
# The statuses and the codes after which a call is repeated: one that reads, and one that acts.
_REPEATS_OF_READS: tuple[frozenset[int], frozenset[str]] = (ALWAYS, PASSING)
_REPEATS_OF_ACTS: tuple[frozenset[int], frozenset[str]] = (ONLY_THROTTLED, frozenset())
_LONG_AGO = datetime.min.replace(tzinfo=timezone.utc)

Api = Literal["auto", "v2", "v1.0"]


class Listing(msgspec.Struct, frozen=True):
    """The graphs of a project, and in words what is known to be missing of them; without problems it is complete."""

    graphs: tuple[Graph, ...]
    problems: tuple[str, ...] = ()


class Ges:
    """With `api` auto it speaks v2, and v1.0 in a region whose gateway does not know v2's paths (APIGW.0101).

    Every method raises CloudError. A call that only reads is repeated after faults of GES that pass; one that acts is not,
    and `may_have_acted` says whether to look.
    """

    def __init__(self, transport: Transport, api: Api) -> None:
        self._transport = transport
        self._api = api
        self._spoken: dict[str, str] = {}

    def list_graphs(self, project: Project, until: datetime | None = None) -> Listing:
        """The graphs of the project, read by `until`."""
        names = ("graphs",), ("graph_count", "graphCount")
        pages = self._pages(project, "list_graphs", (), {}, *names, until=until)
        decoded = [decode_graph(project, item) for item in pages.items]
        graphs = {graph.id: graph for graph in decoded if graph is not None}
        problems = _problems(pages, len(graphs), without_id=None in decoded)
        return Listing(tuple(graphs.values()), tuple(f"ges list_graphs in {project.region}: {text}" for text in problems))

    def show_graph(self, project: Project, graph_id: str) -> Graph | None:
        """None: there is no such graph."""
        try:
            answer = self._call(project, "show_graph", "GET", (graph_id,))
        except CloudError as error:
            if error.code in UNKNOWN_GRAPH:
                return None
            raise
        found = answer.get("graph")
        return decode_graph(project, found if isinstance(found, Mapping) else answer)

    def upgrade_graph(
        self, project: Project, graph_id: str, version: Version, force: bool, before: datetime | None = None
    ) -> str:
        """Starts an upgrade, and not at `before` or later; its job id (ges.md 2.4)."""
        if self._speaks(project.region) == "v2":
            body = {"upgrade_version": version.text, "force_upgrade": force}
            answer = self._call(project, "upgrade_graph", "POST", (graph_id, "upgrade"), body=body, before=before)
        else:
            old_body = {"upgradeVersion": version.text, "forceUpgrade": force}
            query = {"action_id": "upgrade"}
            answer = self._call(project, "upgrade_graph", "POST", (graph_id, "action"), query, old_body, before)
        return accepted(answer, "ges", "upgrade_graph", project.region, "job_id", "jobId")

    def show_job(self, project: Project, graph_id: str, job_id: str, until: datetime | None = None) -> Job | None:
        """The job, read by `until`. None: GES knows no such job."""
        try:
            answer = self._call(project, "show_job", "GET", (graph_id, "jobs", job_id, "status"), until=until)
        except CloudError as error:
            if error.code in UNKNOWN_JOB | UNKNOWN_GRAPH:
                return None
            raise
        wrapped = answer.get("job")
        return decode_job(wrapped if isinstance(wrapped, Mapping) else answer, job_id)

    def list_jobs(self, project: Project, graph: str, since: datetime) -> list[Job]:
        """The job centre's jobs about the graph of that name since that day, the newest first (ges.md 4.3)."""
        start = "start_time" if self._speaks(project.region) == "v2" else "startTime"
        query = {"graph_name": graph, start: since.strftime("%Y-%m-%d")}
        names = ("job_list", "jobList"), ("job_count", "jobCount")
        jobs = [decode_job(item, "") for item in self._pages(project, "list_jobs", ("jobs",), query, *names).items]
        named = (job for job in jobs if job.id and job.graph in (None, graph))
        return sorted(named, key=_began_at, reverse=True)

    def list_backups(self, project: Project, graph_id: str, until: datetime | None = None) -> list[Backup]:
        """The graph's backups, whoever made them, the newest first, read by `until` (ges.md 2.6)."""
        names = ("backup_list", "backupList"), ("backup_count", "backupCount")
        pages = self._pages(project, "list_graph_backups", (graph_id, "backups"), {}, *names, until=until)
        found = [decode_backup(item, graph_id) for item in pages.items if text_of(item, "id")]
        return sorted(found, key=_began_at, reverse=True)

    def backups_left(self, project: Project) -> int | None:
        """How many more backups the project's quota allows; None: GES does not say."""
        quotas = self._call(project, "show_quotas", "GET", ("quotas",)).get("quotas")
        resources = objects_in(quotas.get("resources")) if isinstance(quotas, Mapping) else []
        backups = next((resource for resource in resources if resource.get("type") == "backup"), {})
        available = text_of(backups, "available") or ""
        return int(available) if re.fullmatch(r"[0-9]+", available) else None

    def create_backup(self, project: Project, graph_id: str, before: datetime | None = None) -> str:
        """Starts a backup, and not at `before` or later; its job id."""
        answer = self._call(project, "create_backup", "POST", (graph_id, "backups"), before=before)
        return accepted(answer, "ges", "create_backup", project.region, "job_id", "jobId")

    def delete_backup(self, project: Project, graph_id: str, backup_id: str) -> None:
        self._call(project, "delete_backup", "DELETE", (graph_id, "backups", backup_id))

    def _pages(
        self,
        project: Project,
        operation: str,
        path: tuple[str, ...],
        query: Mapping[str, str],
        items_names: Sequence[str],
        total_names: Sequence[str],
        until: datetime | None = None,
    ) -> Pages:
        def get(offset: int) -> Page:
            page_query = {**query, "offset": str(offset), "limit": str(PAGE)}
            answer = self._call(project, operation, "GET", path, page_query, until=until)
            page = read_page(answer, items_names, total_names)
            if page is None:
                raise CloudError("ges", operation, project.region, 200, "unreadable", f"the answer has no {items_names[0]}")
            return page

        return read_pages(get)

    def _speaks(self, region: str) -> str:
        return self._spoken.get(region) or ("v2" if self._api == "auto" else self._api)

    def _call(
        self,
        project: Project,
        operation: str,
        method: str,
        path: tuple[str, ...],
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        before: datetime | None = None,
        until: datetime | None = None,
    ) -> dict[str, Any]:
        api = self._speaks(project.region)
        repeat, repeat_codes = _REPEATS_OF_READS if method == "GET" else _REPEATS_OF_ACTS
        call = Call(
            service="ges",
            operation=operation,
            region=project.region,
            project_id=project.project_id,
            method=method,
            path=(api, project.project_id, "graphs", *path),
            query=query or {},
            body=body,
            repeat=repeat,
            repeat_codes=repeat_codes,
            before=before,
            until=until,
        )
        try:
            answer = self._transport.call(call)
        except CloudError as error:
            if self._shows_lack_of_v2(call, error):
                self._spoken[project.region] = "v1.0"
                return self._call(project, operation, method, path, query, body, before, until)
            if error.code in PASSING:
                error.may_have_acted = True  # a fault of GES itself is no refusal
            raise
        self._spoken.setdefault(project.region, api)
        return answer

    def _shows_lack_of_v2(self, call: Call, error: CloudError) -> bool:
        """Whether the region's gateway does not know v2. Only a call that reads asks it."""
        undecided = self._api == "auto" and call.region not in self._spoken
        return undecided and error.code == "APIGW.0101" and call.method == "GET"


def _problems(pages: Pages, listed: int, without_id: bool) -> Iterator[str]:
    """What is missing of a list of graphs."""
    if without_id:
        yield "an entry without an id was left alone"
    if pages.total is not None and listed < pages.total:
        yield f"{listed} of {pages.total} graphs were listed"
    if pages.changed:
        yield "the list changed while it was read"


def _began_at(one: Job | Backup) -> datetime:
    return one.began_at or _LONG_AGO
