"""The XML that OBS answers."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ..wire import Refusal, Response
from .models import Bucket

NAMESPACE = "http://obs.myhwclouds.com/doc/2015-06-30/"
OWNER = {"ID": "d" * 32}


def xml(name: str, content: Any) -> Response:
    """`content` is a text, a mapping, or pairs of a name and a content."""
    root = ET.Element(name, xmlns=NAMESPACE)
    _fill(root, content)
    body = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + ET.tostring(root)
    return Response(200, body, {"Content-Type": "application/xml"})


def _fill(element: ET.Element, content: Any) -> None:
    if isinstance(content, str):
        element.text = content
        return
    for name, value in content.items() if isinstance(content, Mapping) else content:
        _fill(ET.SubElement(element, name), value)


def text_of(body: bytes, name: str) -> str:
    """The text of the first element of that name, whatever its namespace; empty if there is none."""
    if not body:
        return ""
    try:
        elements = ET.fromstring(body).iter()
    except ET.ParseError:
        raise Refusal(400, "MalformedXML", "The XML you provided was not well-formed.") from None
    return next((one.text or "" for one in elements if one.tag.rpartition("}")[2] == name), "")


def listing_of_buckets(buckets: Iterable[Bucket]) -> Response:
    shown = [
        ("Bucket", {"Name": one.name, "CreationDate": _time(one.created), "Location": one.region, "BucketType": "OBJECT"})
        for one in buckets
    ]
    return xml("ListAllMyBucketsResult", {"Owner": OWNER, "Buckets": shown})


def listing(bucket: Bucket, query: Mapping[str, str]) -> Response:
    """The keys after `marker` with this prefix, at most `max-keys` of them; those up to a delimiter count as one."""
    prefix, marker, delimiter = query.get("prefix", ""), query.get("marker", ""), query.get("delimiter", "")
    most = min(int(query.get("max-keys") or 1000), 1000)
    entries = _entries(bucket, prefix, delimiter)
    following = [one for one in entries if one > marker]
    page, is_cut = following[:most], len(following) > most
    content: list[tuple[str, Any]] = [("Name", bucket.name), ("Prefix", prefix), ("Marker", marker)]
    content += [("Delimiter", delimiter), ("MaxKeys", str(most)), ("IsTruncated", str(is_cut).lower())]
    content += [("NextMarker", page[-1])] if is_cut else []
    content += [("Contents", _shown(bucket, key)) for key in page if not entries[key]]
    content += [("CommonPrefixes", {"Prefix": one}) for one in page if entries[one]]
    return xml("ListBucketResult", content)


def _entries(bucket: Bucket, prefix: str, delimiter: str) -> dict[str, bool]:
    """What is shown, in order, and whether it is a common prefix."""
    entries: dict[str, bool] = {}
    for key in sorted(key for key in bucket.objects if key.startswith(prefix)):
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        entries[key if end < 0 else key[: end + len(delimiter)]] = end >= 0
    return entries


def _shown(bucket: Bucket, key: str) -> dict[str, Any]:
    found = bucket.objects[key]
    shown = {"Key": key, "LastModified": _time(found.modified), "ETag": found.etag, "Size": str(len(found.data))}
    shown |= {"Owner": OWNER, "StorageClass": bucket.storage_class}  # type: ignore[dict-item]
    return {**shown, "Type": "Appendable"} if found.appendable else dict(shown)


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
