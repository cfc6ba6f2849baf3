"""A graph, a job and a backup as GES shows them, in the spelling of v2 and of v1.0 (ges.md 2.3, 2.6 and 4.2)."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Any

from .models import Backup, Graph, Job

# Names that v1.0 does not spell by the rule of `spelled` (ges.md 2.3).
_V1_NAMES = {
    "sys_tags": "sys_tags",
    "enable_full_text_index": "enableFulltextIndex",
    "enable_rbac": "enableRBAC",
    "enable_hyg": "enableHyG",
}
_LEFT_OUT: dict[str, tuple[str, ...]] = {  # by the API
    "v2": (),
    "v1.0": (
        "product_type",
        "vertex_id_type",
        "origin_graph_size_type_index",
        "expand_time",
        "resize_time",
        "enable_multi_label",
        "capacity_ratio",
        "sort_key_type",
        "enable_lts",
    ),
}


_LOADED = {
    "path": "ges-graphs/demo_movie/schema.xml",
    "job_id": "ff80808167bb90340167bc7445670428",
    "status": "success",
}
_OF_EVERY_GRAPH: dict[str, Any] = {
    "created_by": "ges_user",
    "is_multi_az": "false",
    "edgeset_format": "csv",
    "edgeset_default_label": "",
    "vertexset_format": "csv",
    "vertexset_default_label": "",
    "graph_size_type_index": "1",
    "vpc_id": "2d8af840-fd57-4e3b-a8f1-cda0f55ccd99",
    "subnet_id": "dc018ec3-67d1-46c9-b2fc-19d83367f4e2",
    "security_group_id": "11d27338-8649-4076-8579-5ebc1a60f79e",
    "replication": 1,
    "encrypted": False,
    "master_key_id": None,
    "master_key_name": None,
    "enable_rbac": False,
    "enable_full_text_index": False,
    "enable_hyg": False,
    "crypt_algorithm": "generalCipher",
    "vertex_id_type": None,
    "origin_graph_size_type_index": "1",
    "expand_time": None,
    "resize_time": None,
    "enable_multi_label": False,
    "capacity_ratio": None,
    "sort_key_type": None,
    "enable_lts": False,
}


def graph_shown(graph: Graph, api: str) -> dict[str, Any]:
    """All fields of v2's model, `action_progress` only during creation (ges.md 2.3), in the spelling of the API."""
    loaded = [spelled(api, _LOADED)]
    content = {
        **_OF_EVERY_GRAPH,
        "id": graph.id,
        "name": graph.name,
        "region_code": graph.region,
        "az_code": f"{graph.region}a",
        "schema_path": loaded,
        "edgeset_path": loaded,
        "vertexset_path": loaded,
        "data_store_version": graph.version,
        "sys_tags": [graph.enterprise_project],
        "status": graph.status,
        "created": _time(graph.created),
        "updated": _time(graph.updated),
        "private_ip": graph.private_ip,
        "public_ip": graph.public_ip,
        "traffic_ip_list": graph.traffic_ips,
        "arch": graph.arch,
        "enable_https": graph.https,
        "tags": [{"key": key, "value": value} for key, value in graph.tags.items()],
        "product_type": graph.product_type,
    }
    if graph.status == "100":
        content["action_progress"] = "35"
    left_out = {*graph.missing, *_LEFT_OUT[api]}
    return {**spelled(api, {name: value for name, value in content.items() if name not in left_out}), **graph.extra}


def job_shown(job: Job, now: datetime) -> dict[str, Any]:
    """A flat object. A field without a value is left out: `end_time` of a running job, for one (ges.md 4.2)."""
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


def backup_shown(backup: Backup, now: datetime) -> dict[str, Any]:
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


def spelled(api: str, content: dict[str, Any]) -> dict[str, Any]:
    """`graph_count` of v2 is `graphCount` in v1.0."""
    if api == "v2":
        return content
    return {_V1_NAMES.get(key) or re.sub(r"_([a-z])", lambda m: m[1].upper(), key): value for key, value in content.items()}


@lru_cache(maxsize=4096)
def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
