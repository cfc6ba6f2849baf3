"""OBS as documented: append as compare-and-swap, ranges, rights, errors in XML, signatures (smn-obs-core.md C1).

The official client sends what it can. The other requests are signed here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from obs import AppendObjectContent, GetObjectHeader, ObsClient, convertor

from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, faults, mock_huaweicloud
from huaweicloud_simulator.obs.responses import MAX_APPENDS
from huaweicloud_simulator.server import Server


@pytest.fixture(autouse=True)
def _bucket(cloud: Cloud) -> None:
    cloud.bucket("state")


def official(server: Server, **fields: Any) -> Any:
    """At an IP address the client would use AWS's signature. This makes it use its own."""
    given = {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY, **fields}
    client = ObsClient(server=server.url, max_retry_count=0, **given)
    client.signature = client.thread_local.signature = "obs"
    client.ha = convertor.Adapter("obs")
    client.convertor = convertor.Convertor("obs", client.ha)
    return client


def by_hand(
    method: str,
    url: str,
    resource: str,
    data: bytes = b"",
    headers: Mapping[str, str] | None = None,
    offset: timedelta = timedelta(0),
) -> requests.Response:
    """`resource` is signed: `/bucket/key`, with `?append&position=N` for an append."""
    date = format_datetime(datetime.now(timezone.utc) + offset, usegmt=True)
    text = f"{method}\n\n\n{date}\n{resource}"
    signature = base64.b64encode(hmac.new(SECRET_KEY.encode(), text.encode(), hashlib.sha1).digest()).decode()
    sent = {"Date": date, "Authorization": f"OBS {ACCESS_KEY}:{signature}", **(headers or {})}
    return requests.request(method, url, data=data, headers=sent, timeout=10)


def path_style(server: Server, method: str, key: str, **how: Any) -> requests.Response:
    return by_hand(method, f"{server.url}/state/{key}", f"/state/{key}", **how)


def code(answer: requests.Response) -> str | None:
    return ElementTree.fromstring(answer.content).findtext("Code")


def test_sdk_learns_where_to_append_next(server: Server) -> None:
    obs = official(server)
    assert obs.appendObject("state", "log", AppendObjectContent(content="one", position=0)).body.nextPosition == 3
    head = obs.getObjectMetadata("state", "log")
    assert (head.status, head.body.nextPosition, head.body.isAppendable, head.body.contentLength) == (200, 3, True, 3)
    shown = path_style(server, "GET", "log")
    assert (shown.content, shown.headers["x-obs-next-append-position"]) == (b"one", "3")


def test_sdk_reads_a_range(server: Server) -> None:
    obs = official(server)
    obs.putContent("state", "log", "0123456789")
    found = obs.getObject("state", "log", headers=GetObjectHeader(range="4-6"), loadStreamInMemory=True)
    assert (found.status, found.body.buffer) == (206, b"456")


@pytest.mark.parametrize(
    ("wanted", "status", "body", "span"),
    [
        ("bytes=0-0", 206, b"0", "bytes 0-0/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=7-99", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("lines=1-2", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
    ],
)
def test_range_gives_its_bytes(server: Server, wanted: str, status: int, body: bytes, span: str | None) -> None:
    official(server).putContent("state", "log", "0123456789")
    found = path_style(server, "GET", "log", headers={"Range": wanted})
    assert (found.status_code, found.content, found.headers.get("Content-Range")) == (status, body, span)


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_empty_range_is_416(server: Server, wanted: str) -> None:
    """Asking for what was appended since, when nothing was, is the everyday case."""
    official(server).putContent("state", "log", "0123456789")
    found = path_style(server, "GET", "log", headers={"Range": wanted})
    assert (found.status_code, code(found)) == (416, "InvalidRange")


@pytest.mark.parametrize("position", ["", "x", "-1"])
def test_position_must_be_a_number(server: Server, position: str) -> None:
    query = f"append&position={position}"
    refused = by_hand("POST", f"{server.url}/state/log?{query}", f"/state/log?{query.rstrip('=')}")
    assert (refused.status_code, code(refused)) == (400, "InvalidArgument")


def test_error_is_xml_with_the_request_id(server: Server) -> None:
    refused = path_style(server, "GET", "none")
    assert (refused.status_code, refused.headers["Content-Type"]) == (404, "application/xml")
    assert code(refused) == "NoSuchKey"
    assert ElementTree.fromstring(refused.content).findtext("RequestId") == refused.headers["X-Request-Id"]


def test_head_of_a_missing_object_has_no_body(cloud: Cloud, server: Server) -> None:
    """A client would take a body after HEAD for the beginning of the next answer."""
    missing = path_style(server, "HEAD", "none")
    assert (missing.status_code, missing.content) == (404, b"")
    with mock_huaweicloud(cloud):
        inside = by_hand("HEAD", "https://obs.cn-north-4.myhuaweicloud.com/state/none", "/state/none")
    assert (inside.status_code, inside.content) == (404, b"")


def test_missing_object_is_403_without_list_permission(cloud: Cloud, server: Server) -> None:
    bucket, obs = cloud.bucket("state"), official(server)
    bucket.list_allowed = False
    assert (obs.getObject("state", "log").status, obs.getObject("state", "log").errorCode) == (403, "AccessDenied")
    assert path_style(server, "HEAD", "log").status_code == 403
    assert obs.appendObject("state", "log", AppendObjectContent(content="one", position=0)).body.nextPosition == 3
    assert obs.getObject("state", "log", loadStreamInMemory=True).body.buffer == b"one"


def test_existing_object_is_403_without_read_permission(cloud: Cloud, server: Server) -> None:
    obs = official(server)
    cloud.bucket("state").read_allowed = False
    assert obs.appendObject("state", "log", AppendObjectContent(content="one", position=0)).body.nextPosition == 3
    assert (obs.getObject("state", "log").status, obs.getObject("state", "log").errorCode) == (403, "AccessDenied")
    assert obs.appendObject("state", "log", AppendObjectContent(content="two", position=0)).status == 409


@pytest.mark.parametrize(("list_allowed", "error"), [(True, "NoSuchKey"), (False, "AccessDenied")])
def test_object_deleted_from_outside_is_missing(cloud: Cloud, server: Server, list_allowed: bool, error: str) -> None:
    bucket, obs = cloud.bucket("state"), official(server)
    obs.putContent("state", "log", "one")
    bucket.list_allowed = list_allowed
    bucket.delete("log")
    assert obs.getObject("state", "log").errorCode == error
    bucket.delete("log")


def test_unknown_method_is_not_allowed(server: Server) -> None:
    refused = path_style(server, "POST", "log", data=b"x")
    assert (refused.status_code, code(refused)) == (405, "MethodNotAllowed")


def test_appends_to_an_object_are_limited(cloud: Cloud, server: Server) -> None:
    obs = official(server)
    obs.appendObject("state", "log", AppendObjectContent(content="one", position=0))
    cloud.bucket("state").objects["log"].appends = MAX_APPENDS
    refused = obs.appendObject("state", "log", AppendObjectContent(content="more", position=3))
    assert (refused.status, refused.errorCode) == (409, "ObjectNotAppendable")
    assert cloud.bucket("state").objects["log"].data == b"one"


def test_put_ends_appendability(server: Server) -> None:
    obs = official(server)
    obs.appendObject("state", "log", AppendObjectContent(content="one", position=0))
    obs.putContent("state", "log", "two")
    assert obs.getObjectMetadata("state", "log").body.isAppendable in (None, False)
    refused = obs.appendObject("state", "log", AppendObjectContent(content="more", position=3))
    assert refused.errorCode == "ObjectNotAppendable"


def test_one_of_many_racing_appends_wins(cloud: Cloud, server: Server) -> None:
    found: list[int] = []

    def append(text: str) -> None:
        answer = official(server).appendObject("state", "log", AppendObjectContent(content=text, position=0))
        found.append(answer.status)

    racers = [threading.Thread(target=append, args=(f"racer-{number:02}",)) for number in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(20)
    assert sorted(found) == [200] + [409] * 7
    assert len(cloud.bucket("state").objects["log"].data) == len("racer-00")


def test_append_with_a_lost_answer_was_made(cloud: Cloud, server: Server) -> None:
    cloud.fault("obs.append_object", faults.lost_answer())
    with pytest.raises(requests.ConnectionError):
        by_hand("POST", f"{server.url}/state/log?append&position=0", "/state/log?append&position=0", data=b"one")
    again = by_hand("POST", f"{server.url}/state/log?append&position=0", "/state/log?append&position=0", data=b"one")
    assert code(again) == "PositionNotEqualToLength"
    assert cloud.bucket("state").objects["log"].data == b"one"


def test_host_may_name_the_bucket(cloud: Cloud) -> None:
    url = "https://state.obs.cn-north-4.myhuaweicloud.com/journal/v2/log"
    with mock_huaweicloud(cloud):
        made = by_hand("POST", f"{url}?append&position=0", "/state/journal/v2/log?append&position=0", data=b"one")
        assert (made.status_code, made.headers["x-obs-next-append-position"]) == (200, "3")
        assert by_hand("GET", url, "/state/journal/v2/log").content == b"one"
        same = "https://obs.cn-north-4.myhuaweicloud.com/state/journal/v2/log"
        assert by_hand("GET", same, "/state/journal/v2/log").content == b"one"


def test_any_path_is_a_key_at_a_buckets_host(cloud: Cloud) -> None:
    url = "https://state.obs.cn-north-4.myhuaweicloud.com/v2/project/graphs"
    with mock_huaweicloud(cloud):
        by_hand("PUT", url, "/state/v2/project/graphs", data=b"one")
    assert list(cloud.bucket("state").objects) == ["v2/project/graphs"]


@pytest.mark.parametrize(("offset", "status"), [(-14, 200), (14, 200), (-16, 403), (16, 403)])
def test_date_must_be_within_15_minutes(server: Server, offset: int, status: int) -> None:
    official(server).putContent("state", "log", "one")
    answer = path_style(server, "GET", "log", offset=timedelta(minutes=offset))
    assert answer.status_code == status
    if status == 403:
        assert code(answer) == "RequestTimeTooSkewed"


def test_signature_covers_the_position(server: Server) -> None:
    refused = by_hand("POST", f"{server.url}/state/log?append&position=0", "/state/log?append&position=7", data=b"x")
    assert (refused.status_code, code(refused)) == (403, "SignatureDoesNotMatch")


def test_unsigned_request_is_denied(server: Server) -> None:
    refused = requests.get(f"{server.url}/state/log", timeout=10)
    assert (refused.status_code, code(refused)) == (403, "AccessDenied")


def test_unknown_key_is_refused(server: Server) -> None:
    assert official(server, access_key_id="NOBODY").getObject("state", "log").errorCode == "InvalidAccessKeyId"


@pytest.mark.parametrize(
    ("token", "errors"), [("sts", "NoSuchKey"), ("other", "InvalidAccessKeyId"), (None, "InvalidAccessKeyId")]
)
def test_temporary_credentials_need_their_token(cloud: Cloud, server: Server, token: str | None, errors: str) -> None:
    cloud.credentials("TEMPORARY", "secret", "sts")
    key = {"access_key_id": "TEMPORARY", "secret_access_key": "secret", "security_token": token}
    assert official(server, **key).getObject("state", "none").errorCode == errors


def test_permanent_key_rejects_a_security_token(server: Server) -> None:
    assert official(server, security_token="sts").getObject("state", "none").errorCode == "InvalidAccessKeyId"


@pytest.mark.parametrize("key", ["journal/2026 11 23", "a+b&c=d", "图/日志", "tilde~and.dot"])
def test_any_spelling_of_a_key_works(cloud: Cloud, server: Server, key: str) -> None:
    obs = official(server)
    assert obs.putContent("state", key, "one").status == 200
    assert list(cloud.bucket("state").objects) == [key]
    assert obs.getObject("state", key, loadStreamInMemory=True).body.buffer == b"one"


def test_obs_has_its_internal_error(cloud: Cloud, server: Server) -> None:
    cloud.fault("obs.*", faults.server_error(503))
    refused = path_style(server, "GET", "log")
    assert (refused.status_code, code(refused)) == (503, "InternalError")
