"""Buckets on the wire: create, look at, list, configure and delete (deploy.md 3)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, MutableMapping

from ..gateway.addresses import Target
from ..wire import Answer, Refusal, Request, Response
from .dialects import class_of, described, location, storage_class
from .models import Bucket
from .xml import listing, listing_of_buckets, text_of, xml

CLASSES = ("STANDARD", "WARM", "COLD", "DEEP_ARCHIVE")
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# What a bucket can be given under a sub-resource, and the refusal of one that it was not given.
_SETTINGS = {
    "lifecycle": ("Lifecycle", "NoSuchLifecycleConfiguration"),
    "encryption": ("Encryption", "ServerSideEncryptionConfigurationNotFoundError"),
    "policy": ("Policy", "NoSuchBucketPolicy"),
    "tagging": ("Tagging", "NoSuchTagSet"),
    "publicAccessBlock": ("PublicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
}
Buckets = MutableMapping[str, Bucket]


def found(buckets: Mapping[str, Bucket], name: str) -> Bucket:
    bucket = buckets.get(name)
    if bucket is None:
        raise Refusal(404, "NoSuchBucket", "The specified bucket does not exist.")
    return bucket


def route(buckets: Buckets, request: Request, target: Target) -> tuple[str, Answer]:
    name = target.bucket
    if not name:
        return "list_buckets", lambda: _list_buckets(buckets)
    if request.method == "PUT" and not _subresource(request):
        return "create_bucket", lambda: _create(buckets, name, request)
    if request.method == "DELETE" and not _subresource(request):
        return "delete_bucket", lambda: _delete(buckets, name)
    if _subresource(request) in _SETTINGS:
        return _route_setting(buckets, name, request)
    return _route_own(buckets, name, request)


def _subresource(request: Request) -> str:
    known = ("versioning", "location", "storageClass", "storagePolicy", "storageinfo", "acl", "delete", *_SETTINGS)
    return next((one for one in known if one in request.query), "")


def _route_setting(buckets: Buckets, name: str, request: Request) -> tuple[str, Answer]:
    part = _subresource(request)
    title, _ = _SETTINGS[part]
    verb = {"GET": "get", "PUT": "put", "DELETE": "delete"}.get(request.method, "")
    return f"{verb}_bucket_{title.lower()}", lambda: _configure(_own(buckets, name), part, request)


def _route_own(buckets: Buckets, name: str, request: Request) -> tuple[str, Answer]:
    operation, respond = _OPERATIONS.get((request.method, _subresource(request)), ("unknown", _unknown))
    return operation, lambda: respond(_own(buckets, name), request)


def _own(buckets: Buckets, name: str) -> Bucket:
    bucket = found(buckets, name)
    if bucket.foreign:
        raise Refusal(403, "AccessDenied", "Access Denied")
    return bucket


def _list_buckets(buckets: Buckets) -> Response:
    return listing_of_buckets([bucket for bucket in buckets.values() if not bucket.foreign])


def _create(buckets: Buckets, name: str, request: Request) -> Response:
    """Names are those of all accounts. An own bucket is no success either (deploy.md 3, inferred)."""
    if not _NAME.fullmatch(name):
        raise Refusal(400, "InvalidBucketName", "The specified bucket is not valid.")
    if name in buckets:
        code = "BucketAlreadyExists" if buckets[name].foreign else "BucketAlreadyOwnedByYou"
        raise Refusal(409, code, "The requested bucket name is not available.")
    wanted = class_of(request)
    if wanted not in CLASSES:
        raise Refusal(400, "InvalidStorageClass", "The storage class you specified is not valid.")
    region = text_of(request.body, "Location") or text_of(request.body, "LocationConstraint") or request.region or "cn-north-4"
    buckets[name] = Bucket(name, region, storage_class=wanted, created=request.at)
    return Response(200, b"", {"Location": f"/{name}"})


def _delete(buckets: Buckets, name: str) -> Response:
    if _own(buckets, name).objects:
        raise Refusal(409, "BucketNotEmpty", "The bucket you tried to delete is not empty.")
    del buckets[name]
    return Response(204)


def _list(bucket: Bucket, request: Request) -> Response:
    if not bucket.list_allowed:
        raise Refusal(403, "AccessDenied", "Access Denied")
    return listing(bucket, request.query)


def _versioning(bucket: Bucket, _: Request) -> Response:
    return xml("VersioningConfiguration", {"Status": bucket.versioning} if bucket.versioning else {})


def _set_versioning(bucket: Bucket, request: Request) -> Response:
    status = text_of(request.body, "Status")
    if status not in ("Enabled", "Suspended"):
        raise _malformed()
    bucket.versioning = status
    return Response(200)


def _set_storage_class(bucket: Bucket, request: Request) -> Response:
    wanted = text_of(request.body, "StorageClass")
    if wanted not in CLASSES:
        raise _malformed()
    bucket.storage_class = wanted
    return Response(200)


def _storage_info(bucket: Bucket, _: Request) -> Response:
    size = sum(len(one.data) for one in bucket.objects.values())
    return xml("GetBucketStorageInfoResult", {"Size": str(size), "ObjectNumber": str(len(bucket.objects))})


def _set_acl(bucket: Bucket, request: Request) -> Response:
    if request.headers.get("x-obs-acl", "private") != "private":
        raise Refusal(400, "InvalidArgument", "The simulator has private buckets only.")
    return Response(200)


def _delete_objects(bucket: Bucket, request: Request) -> Response:
    try:
        keys = [one.findtext("Key") or "" for one in ET.fromstring(request.body).iter("Object")]
    except ET.ParseError:
        raise _malformed() from None
    for key in keys:
        bucket.delete(key)
    return xml("DeleteResult", [("Deleted", {"Key": key}) for key in keys])


def _configure(bucket: Bucket, part: str, request: Request) -> Response:
    title, missing = _SETTINGS[part]
    if request.method == "PUT":
        bucket.settings[part] = request.body
        return Response(200)
    if request.method == "DELETE":
        bucket.settings.pop(part, None)
        return Response(204)
    if part not in bucket.settings:
        raise Refusal(404, missing, f"The {title.lower()} configuration does not exist.")
    return Response(200, bucket.settings[part], {"Content-Type": "application/xml"})


def _malformed() -> Refusal:
    return Refusal(400, "MalformedXML", "The XML you provided was not well-formed or did not validate.")


def _unknown(*_: object) -> Response:
    raise Refusal(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")


_OPERATIONS = {
    ("HEAD", ""): ("head_bucket", described),
    ("GET", ""): ("list_objects", _list),
    ("GET", "location"): ("get_bucket_location", location),
    ("GET", "versioning"): ("get_bucket_versioning", _versioning),
    ("PUT", "versioning"): ("put_bucket_versioning", _set_versioning),
    ("GET", "storageClass"): ("get_bucket_storage_class", storage_class),
    ("GET", "storagePolicy"): ("get_bucket_storage_class", storage_class),
    ("PUT", "storageClass"): ("put_bucket_storage_class", _set_storage_class),
    ("GET", "storageinfo"): ("get_bucket_storage_info", _storage_info),
    ("PUT", "acl"): ("put_bucket_acl", _set_acl),
    ("POST", "delete"): ("delete_objects", _delete_objects),
}
