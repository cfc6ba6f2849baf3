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
    found = bucket.objects.get(key)
    if found is None:
        raise Refusal(404, "NoSuchKey", "The specified key does not exist.")
    headers = {"ETag": _etag(found.data), "Content-Length": str(len(found.data))}
    if found.appendable:
        headers["x-obs-next-append-position"] = str(len(found.data))
    if doing == "head_object":
        return Response(200, b"", headers)
    return _ranged(found.data, request.headers.get("range"))


def _ranged(data: bytes, wanted: str | None) -> Response:
    span = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted or "")
    if span is None:
        return Response(200, data, {"ETag": _etag(data)})
    begin, end = int(span[1]), int(span[2]) + 1 if span[2] else len(data)
    if begin >= len(data):
        raise Refusal(416, "InvalidRange", "The requested range cannot be satisfied.")
    return Response(206, data[begin:end], {"Content-Range": f"bytes {begin}-{min(end, len(data)) - 1}/{len(data)}"})


def _append(bucket: Bucket, key: str, request: Request) -> Response:
    found = bucket.objects.get(key)
    if found is not None and not found.appendable:
        raise Refusal(409, "ObjectNotAppendable", "The object is not appendable.")
    length = len(found.data) if found else 0
    if request.query.get("position") != str(length):
        raise Refusal(409, "PositionNotEqualToLength", "Position is not equal to the length of the object.")
    if found is None:
        found = bucket.objects[key] = Object(b"", appendable=True)
    if found.appends >= MAX_APPENDS:
        raise Refusal(409, "ObjectNotAppendable", "The object was appended to 10,000 times.")
    found.data += request.body
    found.appends += 1
    return Response(200, b"", {"ETag": _etag(request.body), "x-obs-next-append-position": str(len(found.data))})


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
