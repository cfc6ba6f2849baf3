"""Where a request goes: the service and its API by the path, the region and the bucket by the host."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from ..wire import Request

_HOST = re.compile(
    r"((?P<bucket>[a-z0-9.-]+)\.)??(?P<service>ges|smn|iam|sts|obs|functiongraph|lts|cts|ces)(\.(?P<region>[a-z0-9-]+))?"
    r"\.myhuaweicloud\.(com|eu)(:\d+)?"
)


# By the version of the API and what follows the project's id in the path.
_SERVICES = {
    ("v2", "graphs"): "ges",
    ("v1.0", "graphs"): "ges",
    ("v2", "notifications"): "smn",
    ("v2", "fgs"): "functiongraph",
    ("v2", "functions"): "functiongraph",
    ("v2", "groups"): "lts",
    ("v2", "lts"): "lts",
    ("v3", "operations"): "cts",
    ("v3", "traces"): "cts",
    ("V1.0", "metric-data"): "ces",
}
# By how the path begins.
_GLOBAL = {"v3.0": "iam", "v3/projects": "iam", "v3/auth": "iam", "v3/roles": "iam", "v5": "sts"}


@dataclass(frozen=True, slots=True)
class Target:
    """The path decides on `service`. `host_service` and `region` are what the host names; None if it serves all of them.

    `service` is `engine` for the data plane of a graph, and `apigw` for an API that no service has.
    """

    service: str
    parts: list[str]  # of the path, decoded
    api: str = ""  # v2 or v1.0 of GES
    host_service: str | None = None
    region: str | None = None
    bucket: str = ""
    key: str = ""


def target_of(request: Request) -> Target:
    parts = [unquote(part) for part in request.path.strip("/").split("/")]
    host = _HOST.fullmatch(request.headers.get("host", ""))
    if host is None:
        return _by_path(request, parts)
    if host["service"] == "obs":
        return _object(request, parts, host["bucket"])
    service = _service(parts) or "apigw"
    return Target(service, parts, _api(service, parts), host["service"], host["region"])


def _by_path(request: Request, parts: list[str]) -> Target:
    """The target at a host that serves everything: loopback, or the address of a graph."""
    if parts[:2] == ["ges", "v1.0"] and parts[3:4] == ["graphs"] and len(parts) > 4:
        return Target("engine", parts, "v1.0")
    service = _service(parts)
    if service is not None:
        return Target(service, parts, _api(service, parts))
    is_versioned = re.fullmatch(r"v\d(\.\d)?", parts[0]) is not None
    return Target("apigw", parts) if is_versioned else _object(request, parts, None)


def _service(parts: list[str]) -> str | None:
    beginnings = parts[0], "/".join(parts[:2])
    found = next((_GLOBAL[one] for one in beginnings if one in _GLOBAL), None)
    return found or _SERVICES.get((parts[0], parts[2] if len(parts) > 2 else ""))


def _api(service: str, parts: list[str]) -> str:
    return parts[0] if service == "ges" else ""


def _object(request: Request, parts: list[str], bucket: str | None) -> Target:
    """An object of OBS. Without a bucket in the host, the path begins with it."""
    key = unquote(request.path).lstrip("/")
    if bucket is None:
        bucket, _, key = key.partition("/")
    return Target("obs", parts, bucket=bucket, key=key)
