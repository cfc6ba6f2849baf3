"""Objects on the wire (smn-obs-core.md C1)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, MutableMapping
from email.utils import format_datetime

from ..gateway.addresses import Target
from ..wire import Answer, Refusal, Request, Response
from . import buckets
from .models import Bucket, Object

MAX_APPENDS = 10_000


def route(known: MutableMapping[str, Bucket], request: Request, target: Target) -> tuple[str, Answer]:
    if not target.key:
        return buckets.route(known, request, target)
    name, respond = _operation(request)
    return name, lambda: respond(buckets.found(known, target.bucket), target.key, request)


def _operation(request: Request) -> tuple[str, Callable[[Bucket, str, Request], Response]]:
    if request.method == "POST" and "append" in request.query:
        return "append_object", _append
    operations = {
        "GET": ("get_object", _read),
        "HEAD": ("head_object", _read),
        "PUT": ("put_object", _put),
        "DELETE": ("delete_object", _delete),
    }
    return operations.get(request.method, ("unknown", _unknown))


def _unknown(*_: object) -> Response:
    raise Refusal(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")


def _put(bucket: Bucket, key: str, request: Request) -> Response:
    bucket.objects[key] = Object(request.body, appendable=False, modified=request.at)
    return Response(200, b"", {"ETag": _etag(request.body)})


def _delete(bucket: Bucket, key: str, _: Request) -> Response:
    bucket.delete(key)
    return Response(204)


def _read(bucket: Bucket, key: str, request: Request) -> Response:
    found = _find(bucket, key)
    modified = format_datetime(found.modified, usegmt=True)
    headers = {"ETag": found.etag, "Content-Type": "binary/octet-stream", "Last-Modified": modified}
    if request.headers.get("if-none-match") == found.etag:
        return Response(304, b"", headers)
    if found.appendable:
        headers |= {"x-obs-object-type": "Appendable", "x-obs-next-append-position": str(len(found.data))}
    if request.method == "HEAD":
        return Response(200, b"", {**headers, "Content-Length": str(len(found.data))})
    return _ranged(found.data, request.headers.get("range"), headers)


def _find(bucket: Bucket, key: str) -> Object:
    found = bucket.objects.get(key)
    if bucket.foreign or not bucket.read_allowed or (found is None and not bucket.list_allowed):
        raise Refusal(403, "AccessDenied", "Access Denied")
    if found is None:
        raise Refusal(404, "NoSuchKey", "The specified key does not exist.")
    return found


def _ranged(data: bytes, wanted: str | None, headers: dict[str, str]) -> Response:
    """The bytes of one range: `first-last`, `first-`, or the last n as `-n`. Any other header is ignored."""
    span = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted or "")
    if span is None or span[0] == "bytes=-":
        return Response(200, data, headers)
    begin, end = _limits(span[1], span[2], len(data))
    if begin >= end:
        raise Refusal(416, "InvalidRange", "The requested range cannot be satisfied.")
    return Response(206, data[begin:end], {**headers, "Content-Range": f"bytes {begin}-{end - 1}/{len(data)}"})


def _limits(first: str, last: str, length: int) -> tuple[int, int]:
    """Where the range begins, and where it is over."""
    if not first:
        return max(0, length - int(last)), length
    return int(first), min(int(last) + 1, length) if last else length


def _append(bucket: Bucket, key: str, request: Request) -> Response:
    position = request.query.get("position", "")
    if not position.isdecimal():
        raise Refusal(400, "InvalidArgument", "Invalid Argument")
    found = bucket.objects.get(key, Object(b"", appendable=True))
    if not found.appendable or found.appends >= MAX_APPENDS or bucket.storage_class not in ("STANDARD", "WARM"):
        raise Refusal(409, "ObjectNotAppendable", "The object is not appendable.")
    if int(position) != len(found.data):
        raise Refusal(409, "PositionNotEqualToLength", "Position is not equal to the length of the object.")
    found.data += request.body
    found.appends += 1
    found.modified = request.at
    bucket.objects[key] = found
    return Response(200, b"", {"ETag": _etag(request.body), "x-obs-next-append-position": str(len(found.data))})


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'
