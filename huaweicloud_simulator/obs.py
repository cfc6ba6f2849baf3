"""OBS: objects with append, whose position is the compare-and-swap (smn-obs-core.md C1)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from .wire import Refusal, Request, Response

MAX_APPENDS = 10_000


@dataclass(slots=True)
class Object:
    data: bytes
    appendable: bool
    appends: int = 0


@dataclass(slots=True)
class Bucket:
    name: str
    region: str
    objects: dict[str, Object] = field(default_factory=dict)


def operation(request: Request) -> str:
    if request.method == "POST" and "append" in request.query:
        return "append_object"
    return {"GET": "get_object", "HEAD": "head_object", "PUT": "put_object", "DELETE": "delete_object"}.get(
        request.method, "unknown"
    )


def respond(bucket: Bucket | None, key: str, request: Request) -> Response:
    if bucket is None:
        raise Refusal(404, "NoSuchBucket", "The specified bucket does not exist.")
    doing = operation(request)
    if doing == "append_object":
        return _append(bucket, key, request)
    if doing == "put_object":
        bucket.objects[key] = Object(request.body, appendable=False)
        return Response(200, b"", {"ETag": _etag(request.body)})
    if doing == "delete_object":
        bucket.objects.pop(key, None)
        return Response(204)
    if doing not in ("get_object", "head_object"):
        raise Refusal(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
    found = bucket.objects.get(key)
    if found is None:
        raise Refusal(404, "NoSuchKey", "The specified key does not exist.")
    headers = {"ETag": _etag(found.data), "Content-Type": "binary/octet-stream"}
    if found.appendable:
        headers |= {"x-obs-object-type": "Appendable", "x-obs-next-append-position": str(len(found.data))}
    if doing == "head_object":
        return Response(200, b"", {**headers, "Content-Length": str(len(found.data))})
    return _ranged(found.data, request.headers.get("range"), headers)


def _ranged(data: bytes, wanted: str | None, headers: dict[str, str]) -> Response:
    """The bytes of one range: `first-last`, `first-` or the `-last` so many; a header that says no range is ignored."""
    span = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted or "")
    if span is None or span[0] == "bytes=-":
        return Response(200, data, headers)
    if span[1]:
        begin, end = int(span[1]), min(int(span[2]) + 1 if span[2] else len(data), len(data))
    else:
        begin, end = max(0, len(data) - int(span[2])), len(data)
    if begin >= end:
        raise Refusal(416, "InvalidRange", "The requested range cannot be satisfied.")
    return Response(206, data[begin:end], {**headers, "Content-Range": f"bytes {begin}-{end - 1}/{len(data)}"})


def _append(bucket: Bucket, key: str, request: Request) -> Response:
    position = request.query.get("position", "")
    if not position.isdecimal():
        raise Refusal(400, "InvalidArgument", "Invalid Argument")
    found = bucket.objects.get(key, Object(b"", appendable=True))
    if not found.appendable or found.appends >= MAX_APPENDS:
        raise Refusal(409, "ObjectNotAppendable", "The object is not appendable.")
    if int(position) != len(found.data):
        raise Refusal(409, "PositionNotEqualToLength", "Position is not equal to the length of the object.")
    found.data += request.body
    found.appends += 1
    bucket.objects[key] = found
    return Response(200, b"", {"ETag": _etag(request.body), "x-obs-next-append-position": str(len(found.data))})


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
