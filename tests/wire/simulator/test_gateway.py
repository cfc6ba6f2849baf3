"""Signatures by the official signer, each spoiled in one place (ges.md 1, smn-obs-core.md B4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import pytest

from huaweicloud_simulator import Cloud
from huaweicloud_simulator.server import Server
from tests.builders import PROJECT_ID, TOPIC
from tests.wire.raw import call, send, signed

GRAPHS = f"/v2/{PROJECT_ID}/graphs"


def stamp(offset: timedelta) -> str:
    return f"{datetime.now(timezone.utc) + offset:%Y%m%dT%H%M%SZ}"


@pytest.mark.parametrize(
    "query",
    [
        (),
        (("offset", "0"), ("limit", "5")),
        (("graph_name", "a b+c/ü~*%2F"), ("start_time", "2026-11-23")),
        (("b", ""), ("a", "=&")),
    ],
)
def test_official_signature_is_accepted(server: Server, query: tuple[tuple[str, str], ...]) -> None:
    assert call("GET", f"{server.url}{GRAPHS}/jobs", query=query).status_code == 200


def test_encoded_path_is_accepted(cloud: Cloud, server: Server) -> None:
    cloud.project("cn-north-4", PROJECT_ID).topic("ges-upgrades")
    path = f"/v2/{PROJECT_ID}/notifications/topics/{quote(TOPIC, safe='')}/publish"
    assert call("POST", server.url + path, {"message": "図, ü"}).status_code == 200


@pytest.mark.parametrize("offset", [timedelta(minutes=-14), timedelta(minutes=14)])
def test_date_within_15_minutes_is_accepted(server: Server, offset: timedelta) -> None:
    assert call("GET", server.url + GRAPHS, headers={"X-Sdk-Date": stamp(offset)}).status_code == 200


@pytest.mark.parametrize("offset", [timedelta(minutes=-16), timedelta(minutes=16)])
def test_date_beyond_15_minutes_is_refused(server: Server, offset: timedelta) -> None:
    refused = call("GET", server.url + GRAPHS, headers={"X-Sdk-Date": stamp(offset)})
    assert (refused.status_code, refused.json()["error_code"]) == (401, "APIGW.0301")


SPOILED: dict[str, Callable[[Any], object]] = {
    "body": lambda request: setattr(request, "body", b'{"upgrade_version": "2.4.15"}'),
    "path": lambda request: setattr(request, "url", request.url.replace("/graphs", "/graphs/jobs")),
    "query": lambda request: setattr(request, "url", request.url + "?limit=1"),
    "method": lambda request: setattr(request, "method", "DELETE"),
    "signed header": lambda request: request.headers.update({"Content-Type": "text/plain"}),
    "date": lambda request: request.headers.update({"X-Sdk-Date": stamp(timedelta(minutes=-1))}),
    "no date": lambda request: request.headers.pop("X-Sdk-Date"),
    "no signature": lambda request: request.headers.pop("Authorization"),
    "other algorithm": lambda request: request.headers.update({"Authorization": "Basic YTpi"}),
    "an empty token": lambda request: request.headers.update({"X-Auth-Token": ""}),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_request_changed_after_signing_is_refused(cloud: Cloud, server: Server, spoiled: str) -> None:
    request = signed("POST", server.url + GRAPHS, {"upgrade_version": "2.4.9"})
    SPOILED[spoiled](request)
    request.prepare_content_length(request.body)
    refused = send(request)
    assert (refused.status_code, refused.json()["error_code"]) == (401, "APIGW.0301")
    assert refused.json()["request_id"] == refused.headers["X-Request-Id"]


def test_signed_hash_of_another_body_is_refused(server: Server) -> None:
    """The signer trusts X-Sdk-Content-Sha256. Without this check, one signature would fit any body."""
    headers = {"X-Sdk-Content-Sha256": hashlib.sha256(b"another").hexdigest()}
    refused = call("POST", server.url + GRAPHS, {"upgrade_version": "2.4.9"}, headers=headers)
    assert refused.status_code == 401


def test_unknown_key_is_refused(server: Server) -> None:
    assert call("GET", server.url + GRAPHS, key=("NOBODY", "secret")).status_code == 401


def test_permanent_key_rejects_a_security_token(server: Server) -> None:
    assert call("GET", server.url + GRAPHS, headers={"X-Security-Token": "sts"}).status_code == 401


def test_security_token_must_be_signed(cloud: Cloud, server: Server) -> None:
    cloud.credentials("TEMPORARY", "secret", "sts")
    request = signed("GET", server.url + GRAPHS, key=("TEMPORARY", "secret"))
    request.headers["X-Security-Token"] = "sts"
    assert send(request).status_code == 401
    assert call("GET", server.url + GRAPHS, key=("TEMPORARY", "secret"), headers={"X-Security-Token": "sts"}).ok


def test_known_token_replaces_a_signature(cloud: Cloud, server: Server) -> None:
    cloud.token("token of a user")
    request = signed("GET", server.url + GRAPHS)
    del request.headers["Authorization"]
    request.headers["X-Auth-Token"] = "token of a user"
    assert send(request).status_code == 200
    request.headers["X-Auth-Token"] = "token of another"
    assert send(request).status_code == 401


def test_header_must_name_the_paths_project(cloud: Cloud, server: Server) -> None:
    cloud.project("cn-east-3", "f" * 32)
    refused = call("GET", server.url + GRAPHS, headers={"X-Project-Id": "f" * 32})
    assert (refused.status_code, refused.json()["error_code"]) == (400, "GES.0016")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/v3/{PROJECT_ID}/graphs"),
        ("POST", f"/v2/{PROJECT_ID}/graphs/jobs"),
        ("GET", f"/v2/{PROJECT_ID}/graphs/some-graph/upgrade"),
        ("POST", f"/v1.0/{PROJECT_ID}/graphs/some-graph/upgrade"),
        ("POST", f"/v2/{PROJECT_ID}/graphs/some-graph/action"),
        ("GET", f"/v2/{PROJECT_ID}/graphs/some-graph/jobs/some-job"),
        ("GET", f"/v2/{PROJECT_ID}/fgs/functions/some-function"),
        ("POST", "/v3/projects"),
    ],
)
def test_unknown_path_or_method_is_404(server: Server, method: str, path: str) -> None:
    refused = call(method, server.url + path)
    assert (refused.status_code, refused.json()["error_code"]) == (404, "APIGW.0101")
