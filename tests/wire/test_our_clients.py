"""Our transport on the wire: who it says it is, how long it waits, and what it never lets out."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import Any

import pytest
import requests
import responses
from requests.adapters import HTTPAdapter

from ges_upgrader.cloud.credentials import Credentials
from ges_upgrader.cloud.errors import CloudError, Unreachable
from ges_upgrader.cloud.ges.client import Ges
from ges_upgrader.cloud.smn import Smn
from ges_upgrader.cloud.sockets import LimitedAdapter
from ges_upgrader.cloud.transport import TRIES, Transport
from huaweicloud_simulator import Cloud, VirtualClock, faults, mock_huaweicloud
from tests.builders import NOW, PROJECT, PROJECT_ID, TOPIC

KEY = Credentials("SIMULATORAK", "SIMULATORSK")


def world(left: timedelta = timedelta(hours=1)) -> tuple[Cloud, Any]:
    clock = VirtualClock(NOW)
    cloud = Cloud(clock)
    cloud.project("cn-north-4", PROJECT_ID).topic("ges-upgrades")
    end = NOW + left

    def transport(credentials: Credentials = KEY) -> Transport:
        return Transport(credentials, lambda s, r: f"https://{s}.{r}.myhuaweicloud.com", clock, lambda: end - clock.now())

    return cloud, transport


def test_temporary_credentials_sign_their_token() -> None:
    cloud, transport = world()
    cloud.credentials("TEMPORARY", "secret", "sts")
    with mock_huaweicloud(cloud):
        Ges(transport(Credentials("TEMPORARY", "secret", "sts")), "v2").list_graphs(PROJECT)
    (request,) = cloud.requests
    assert request.headers["x-security-token"] == "sts"
    assert "SignedHeaders=content-type;host;x-project-id;x-sdk-date;x-security-token" in request.headers["authorization"]
    assert request.headers["x-project-id"] == PROJECT_ID


def test_token_alone_is_sent_unsigned() -> None:
    cloud, transport = world()
    cloud.token("the-token")
    with mock_huaweicloud(cloud):
        Ges(transport(Credentials(token="the-token")), "v2").list_graphs(PROJECT)
    (request,) = cloud.requests
    assert (request.status, request.headers["x-auth-token"]) == (200, "the-token")
    assert "authorization" not in request.headers


def test_netrc_is_not_used(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    cloud, transport = world()
    cloud.token("the-token")
    with mock_huaweicloud(cloud):
        Ges(transport(Credentials(token="the-token")), "v2").list_graphs(PROJECT)
    assert "authorization" not in cloud.requests[0].headers


def test_urn_is_encoded_as_it_is_signed() -> None:
    cloud, transport = world()
    with mock_huaweicloud(cloud):
        Smn(transport()).publish("cn-north-4", PROJECT_ID, TOPIC, "s", {"default": "{}"})
    (request,) = cloud.requests
    assert "urn%3Asmn%3Acn-north-4" in request.path
    assert request.status == 200


def test_request_has_limits_within_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud, transport = world(left=timedelta(seconds=3))
    seen: list[Any] = []

    def watched(adapter: LimitedAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        seen.append(options["timeout"])
        return HTTPAdapter.send(adapter, request, **options)

    monkeypatch.setattr(LimitedAdapter, "send", watched)
    with mock_huaweicloud(cloud):
        Ges(transport(), "v2").list_graphs(PROJECT)
    assert seen == [(0.75, 1.5)]


def test_no_call_is_made_without_time() -> None:
    cloud, transport = world(left=timedelta(0))
    with mock_huaweicloud(cloud), pytest.raises(Unreachable, match="out-of-time"):
        Ges(transport(), "v2").list_graphs(PROJECT)
    assert cloud.requests == []


def test_tries_are_bounded_and_spaced() -> None:
    cloud, transport = world()
    cloud.fault("ges.list_graphs", faults.html(503), times=None)
    with mock_huaweicloud(cloud), pytest.raises(CloudError) as caught:
        Ges(transport(), "v2").list_graphs(PROJECT)
    assert len(cloud.requests) == TRIES
    pauses = [later.at - earlier.at for earlier, later in zip(cloud.requests, cloud.requests[1:])]
    assert all(pause > timedelta(0) for pause in pauses)
    assert (caught.value.status, caught.value.code) == (503, "HTTP-503")
    assert "Service Unavailable" in caught.value.message
    assert "<" not in caught.value.message


@pytest.mark.parametrize(
    "body",
    [
        {"error_code": "GES.7000", "error_msg": "gone"},
        {"errorCode": "GES.7000", "errorMessage": "gone"},
        {"errCode": "GES.7000", "externalMessage": "gone"},
        {"code": "GES.7000", "message": "gone"},
    ],
)
def test_every_error_envelope_is_read(body: dict[str, str]) -> None:
    _, transport = world()
    with responses.RequestsMock() as wire:
        wire.get("https://ges.cn-north-4.myhuaweicloud.com/v2/" + PROJECT_ID + "/graphs", json=body, status=400)
        with pytest.raises(CloudError) as caught:
            Ges(transport(), "v2").list_graphs(PROJECT)
    assert (caught.value.code, caught.value.message) == ("GES.7000", "gone")


def test_echoed_secret_is_masked() -> None:
    cloud, transport = world()
    cloud.fault("ges.list_graphs", faults.error(400, "GES.0001", "signed with SIMULATORSK by SIMULATORAK"))
    with mock_huaweicloud(cloud), pytest.raises(CloudError) as caught:
        Ges(transport(), "v2").list_graphs(PROJECT)
    assert "SIMULATORSK" not in str(caught.value)
    assert "SIMULATORSK" not in repr(KEY)


def test_smaller_pages_are_read_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """`limit` has no documented maximum (ges.md 2.2)."""
    cloud, transport = world()
    for number in range(25):
        cloud.project("cn-north-4", PROJECT_ID).graph(f"graph_{number}")
    handle = cloud.handle

    def stingy(request: Any) -> Any:
        """Signed for a hundred, answered with seven."""
        response = handle(request)
        content = json.loads(response.body)
        content["graphs"] = content["graphs"][:7]
        return dataclasses.replace(response, body=json.dumps(content).encode())

    monkeypatch.setattr(cloud, "handle", stingy)
    with mock_huaweicloud(cloud):
        listing = Ges(transport(), "v2").list_graphs(PROJECT)
    assert (len(listing.graphs), listing.problems) == (25, ())
