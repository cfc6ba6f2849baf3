"""AWS's names for headers and storage classes, which OBS takes and gives, too: its client uses them at an IP address."""

from __future__ import annotations

from ..wire import Request, Response
from .models import Bucket
from .xml import xml

_CLASSES = {"STANDARD_IA": "WARM", "GLACIER": "COLD"}
_NAMES = {own: name for name, own in _CLASSES.items()}


def is_aws(request: Request) -> bool:
    return request.headers.get("authorization", "").startswith("AWS ")


def class_of(request: Request) -> str:
    """The storage class that a new bucket should have."""
    given = request.headers.get("x-obs-storage-class") or request.headers.get("x-default-storage-class") or "STANDARD"
    return _CLASSES.get(given, given)


def described(bucket: Bucket, request: Request) -> Response:
    """The headers that describe a bucket."""
    if is_aws(request):
        names = {"x-amz-bucket-region": bucket.region, "x-default-storage-class": _named(bucket)}
        return Response(200, b"", names)
    return Response(200, b"", {"x-obs-bucket-location": bucket.region, "x-obs-storage-class": bucket.storage_class})


def location(bucket: Bucket, request: Request) -> Response:
    if is_aws(request):
        return xml("CreateBucketConfiguration", {"LocationConstraint": bucket.region})
    return xml("Location", bucket.region)


def storage_class(bucket: Bucket, request: Request) -> Response:
    if is_aws(request):
        return xml("StoragePolicy", {"DefaultStorageClass": _named(bucket)})
    return xml("StorageClass", bucket.storage_class)


def _named(bucket: Bucket) -> str:
    return _NAMES.get(bucket.storage_class, bucket.storage_class)
