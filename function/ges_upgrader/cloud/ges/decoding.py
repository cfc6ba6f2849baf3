"""GES's JSON, of v2 and of v1.0, as our nouns (ges.md 2.3, 2.6, 4.2). What GES left out or garbled is None."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from ges_upgrader.cloud.answers import objects_in, text_of
from ges_upgrader.domain.jobs import Backup, Job
from ges_upgrader.domain.model import Graph, Project, Status
from ges_upgrader.domain.plain_text import MOST_DETAIL, plain
from ges_upgrader.domain.version import Version

_JOB_STATUSES = ("pending", "running", "success", "failed", "partiallyFailed")
_BACKUP_STATUSES = ("backing_up", "success", "failed")


def decode_graph(project: Project, item: Mapping[str, Any]) -> Graph | None:
    graph_id = text_of(item, "id")
    if not graph_id:
        return None
    return Graph(
        project=project,
        id=graph_id,
        name=text_of(item, "name") or graph_id,
        version=version_of(text_of(item, "data_store_version", "dataStoreVersion")),
        status=Status(_text(item, "status")),
        tags=_tags(item.get("tags")),
        enterprise_project=_enterprise_project(item.get("sys_tags", item.get("sysTags"))),
        product_type=text_of(item, "product_type", "productType") or _product_type(item),
        arch=text_of(item, "arch"),
        addresses=_addresses(item),
        https=item.get("enable_https", item.get("enableHttps")) in (True, "true"),
    )


def _product_type(item: Mapping[str, Any]) -> str:
    """The type that v1.0 does not name: Persistence at size 6, otherwise InMemory (ges.md 2.3)."""
    return "Persistence" if text_of(item, "graph_size_type_index", "graphSizeTypeIndex") == "6" else "InMemory"


def _addresses(item: Mapping[str, Any]) -> tuple[str, ...]:
    """private_ip, then traffic_ip_list, then public_ip, each once, without what is no IP address (ges.md 2.3)."""
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


def decode_backup(item: Mapping[str, Any], graph_id: str) -> Backup:
    return Backup(
        id=_text(item, "id"),
        graph_id=text_of(item, "graph_id", "graphId") or graph_id,
        status=_spelled(_text(item, "status"), _BACKUP_STATUSES),
        began_at=_time(text_of(item, "start_time", "startTime")) or _milliseconds(item, "start_timestamp", "startTimestamp"),
        ended_at=_time(text_of(item, "end_time", "endTime")) or _milliseconds(item, "end_timestamp", "endTimestamp"),
    )


def decode_job(item: Mapping[str, Any], job_id: str) -> Job:
    return Job(
        id=text_of(item, "job_id", "jobId") or job_id,
        status=_spelled(_text(item, "status"), _JOB_STATUSES),
        name=text_of(item, "job_name", "jobName"),
        graph=text_of(item, "related_graph", "relatedGraph"),
        began_at=_time(text_of(item, "begin_time", "beginTime")),
        ended_at=_time(text_of(item, "end_time", "endTime")),
        fail_reason=plain(_text(item, "fail_reason", "failReason"), MOST_DETAIL) or None,
    )


def _text(item: Mapping[str, Any], *names: str) -> str:
    return text_of(item, *names) or ""


def _spelled(status: str, statuses: Sequence[str]) -> str:
    """As ges.md spells it (2.6, 4.2)."""
    return next((known for known in statuses if known.lower() == status.lower()), status)


@lru_cache(maxsize=1024)
def version_of(text: str | None) -> Version | None:
    """The version that GES or an engine shows, without leading zeros; None if it is none."""
    try:
        return Version(re.sub(r"(?<![0-9])0+(?=[0-9])", "", text)) if text else None
    except ValueError:
        return None


def _tags(value: Any) -> dict[str, str]:
    """v2 has a list of {key, value}; of v1.0's type is only said that it is an object (ges.md 2.3)."""
    if isinstance(value, Mapping):
        return {key: _text(value, key) for key in value}
    named = ((text_of(pair, "key"), _text(pair, "value")) for pair in objects_in(value))
    return {key: text for key, text in named if key is not None}


def _enterprise_project(value: Any) -> str | None:
    """`["<id>"]`, or `[{key: _sys_enterprise_project_id, value: <id>}]` in older answers (ges.md 2.3)."""
    entries = value if isinstance(value, list) else []
    found = next(filter(_names_enterprise_project, entries), None)
    return text_of(found, "value") if isinstance(found, Mapping) else found


def _names_enterprise_project(entry: Any) -> bool:
    return isinstance(entry, str) or (isinstance(entry, Mapping) and entry.get("key") == "_sys_enterprise_project_id")


def _time(text: str | None) -> datetime | None:
    """UTC, with a T or a blank between date and time (ges.md 4.2)."""
    try:
        return datetime.strptime((text or "")[:19].replace(" ", "T"), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def _milliseconds(item: Mapping[str, Any], *names: str) -> datetime | None:
    """Since 1970 (ges.md 2.6)."""
    try:
        return datetime.fromtimestamp(int(_text(item, *names)) / 1000, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
