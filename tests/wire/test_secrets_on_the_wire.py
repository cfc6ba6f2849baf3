"""Services that repeat what they were sent, encoded, in every part of an answer: nothing of it leaves the function."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

import index
from ges_upgrader.redaction import STARS
from huaweicloud_simulator import Cloud, serve
from huaweicloud_simulator.wire import Request, Response
from tests.builders import PROJECT_ID, TOPIC

AK, SK = "HPUAQ7WM2X9ZK4LD8VTB", "wJ49xQmTz7LkV2bN8sRf6YhG1dPc3UoE5aXiKqRs"
SECURITY_TOKEN = "ggpjbi1ub3J0aC00" + "T2v7XbQ9+/kLmZ4w" * 30 + "EAMw=="
TOKEN = "MIIFvQYJKoZIhvcN" + "AQcCoIIFrjCCBaoC/+" * 40 + "DQYJKw=="
PIECE = 15  # characters

ENCODED: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda text: quote(quote(text, safe=""), safe="").lower(),
    "json": lambda text: "".join(f"\\u{ord(char):04X}" for char in text),
    "html": lambda text: "".join(f"&#x{ord(char):x};" for char in text),
    "base64": lambda text: base64.urlsafe_b64encode(b"a" + text.encode()).decode(),
    "lines": lambda text: "\n".join(text[at : at + 9] for at in range(0, len(text), 9)),
    "cut": lambda text: text[: max(PIECE, len(text) // 2)],
}


def repeated(request: Request, encode: Callable[[str], str]) -> str:
    """All that identifies the caller, as a service shows it that means to help."""
    names = ("authorization", "x-security-token", "x-obs-security-token")
    sent = [AK, SK, TOKEN, signature(request), *(request.headers[name] for name in names if name in request.headers)]
    return " | ".join(map(encode, sent))


def signature(request: Request) -> str:
    """Of either scheme: `SDK-HMAC-SHA256 Access=…, SignedHeaders=…, Signature=…`, or `OBS …:…`."""
    return re.split("Signature=|OBS [^:]*:", request.headers["authorization"])[-1]


def refusal(request: Request, text: str) -> Response:
    """An error in the words of GES and SMN, or of OBS, with the text in each part."""
    safe = re.sub(r"[^ -~]", "", text)
    if request.service == "obs":
        xml = f"<Error><Code>{html.escape(text)}</Code><Message>{html.escape(text)}</Message></Error>"
        return Response(403, xml.encode(), {"x-obs-request-id": safe})
    content = {"error_code": f"GES.{text}", "error_msg": text, "request_id": text}
    return Response.of(400, content, **{"X-Request-Id": safe})


def page(_: Request, text: str) -> Response:
    return Response(403, f"<html><h1>Forbidden</h1>{text}</html>".encode(), {"Content-Type": "text/html"})


def named(_: Request, text: str) -> Response:
    """A graph with the text as its name."""
    graph = {"id": "g-1", "name": f"demo {text}", "data_store_version": "2.4.4", "status": "200"}
    return Response.of(200, {"graph_count": 1, "graphs": [graph]})


def failed(_: Request, text: str) -> Response:
    """A job that failed for the text."""
    return Response.of(200, {"job_id": "j-1", "status": "failed", "fail_reason": text})


@pytest.fixture
def cloud() -> Cloud:
    cloud = Cloud()
    cloud.upgrade_duration = timedelta(milliseconds=100)
    cloud.release("2.4.9", "2.4.15")
    cloud.credentials(AK, SK, SECURITY_TOKEN)
    project = cloud.project("cn-north-4", PROJECT_ID)
    project.topic("ges-upgrades")
    project.graph("demo", version="2.4.4").next_upgrade("failed")
    cloud.bucket("state")
    return cloud


class Context:
    """The agency's temporary credentials, and its token."""

    milliseconds = 4000

    def getProjectID(self) -> str:
        return PROJECT_ID

    def getRemainingTimeInMilliSeconds(self) -> int:
        return self.milliseconds

    def getSecurityAccessKey(self) -> str:
        return AK

    def getSecuritySecretKey(self) -> str:
        return SK

    def getSecurityToken(self) -> str:
        return SECURITY_TOKEN

    def getToken(self) -> str:
        return TOKEN


def run(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, state: str, variables: Mapping[str, str] = {}) -> dict[str, Any]:
    policy = f"notify: {TOPIC}\nstate: {state}\nreleases: [{{version: 2.4.15}}]\nrules: [{{max_concurrent: 5}}]"
    with serve(cloud) as server:
        for name, value in {"POLICY": policy, "LOG_LEVEL": "DEBUG", **server.environment("cn-north-4"), **variables}.items():
            monkeypatch.setenv(name, value)
        return index.handler({"command": "reconcile"}, Context())


def shown(text: str) -> Iterator[str]:
    """The text as it is, and with every encoding undone that somebody may try."""
    layers = [text]
    for undo in (unquote, html.unescape, lambda one: re.sub(r"\\u([0-9A-Fa-f]{4})", lambda unit: chr(int(unit[1], 16)), one)):
        layers += [undo(one) for one in layers] + [undo(undo(one)) for one in layers]
    yield from layers
    for run in re.findall(r"[A-Za-z0-9+/_-]{16,}", re.sub(r"\\n|\s", "", text)):
        for start in range(4):
            coded = run[start:].replace("-", "+").replace("_", "/")
            yield base64.b64decode(coded[: len(coded) // 4 * 4]).decode("latin-1")


def assert_hidden(text: str, secrets: list[str]) -> None:
    plain = [re.sub(r"\\n|\s", "", one).lower() for one in shown(text)]
    for secret in secrets:
        pieces = {secret[at : at + PIECE].lower() for at in range(max(1, len(secret) - PIECE + 1))}
        assert not [piece for piece in pieces for one in plain if piece in one]


SECRETS = [AK, SK, SECURITY_TOKEN, TOKEN]


@pytest.mark.parametrize("encode", ENCODED.values(), ids=ENCODED)
@pytest.mark.parametrize(
    ("operation", "answer", "state"),
    [
        ("ges.list_graphs", refusal, "none"),
        ("ges.list_graphs", page, "none"),
        ("ges.list_graphs", named, "none"),
        ("ges.upgrade_graph", refusal, "file://{}"),
        ("ges.upgrade_graph", page, "file://{}"),
        ("ges.show_job", failed, "file://{}"),
        ("smn.publish", refusal, "none"),
        ("obs.append_object", refusal, "obs://state/ges"),
        ("obs.get_object", refusal, "obs://state/ges"),
    ],
    ids=["list", "list-page", "name", "upgrade", "upgrade-page", "job", "message", "append", "read"],
)
def test_what_a_service_repeats_stays_inside(
    cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    operation: str,
    answer: Callable[[Request, str], Response],
    state: str,
    encode: Callable[[str], str],
) -> None:
    signatures: list[str] = []
    handle = cloud.handle

    def repeating(request: Request) -> Response:
        response = handle(request)
        if request.operation != operation:
            return response
        signatures.append(signature(request))
        return answer(request, repeated(request, encode))

    monkeypatch.setattr(cloud, "handle", repeating)
    result = run(cloud, monkeypatch, state.format(tmp_path))
    messages = [str(message) for message in cloud.project("cn-north-4", PROJECT_ID).topic("ges-upgrades").messages]
    journal = [path.read_text() for path in tmp_path.glob("journal*")]
    logged = "".join(capfd.readouterr())
    everything = json.dumps(result, ensure_ascii=False), logged, *messages, *journal
    assert STARS in "".join(everything)
    for text in everything:
        assert_hidden(text, [*SECRETS, *signatures])
    assert signatures


@pytest.mark.parametrize("token", ["MIIEabcdefghijklmnop\nqrstuvwxyz0123456789", "MIIEabcdefghijklmnopäqrstuvwxyz0123456789"])
def test_token_that_is_no_header_stays_inside(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], token: str
) -> None:
    monkeypatch.setattr(Context, "getToken", lambda _: token)
    for name in ("getSecurityAccessKey", "getSecuritySecretKey"):
        monkeypatch.setattr(Context, name, lambda _: "")
    result = run(cloud, monkeypatch, "none")
    assert result["errors"]
    assert_hidden(json.dumps(result) + "".join(capfd.readouterr()), ["MIIEabcdefghijklmnop", "qrstuvwxyz0123456789"])


@pytest.mark.parametrize("user_info", ["user:pw", "user:pass-word-1", "user:p@ss/wörd#1", "user:p%40ss%2Fword%231"])
@pytest.mark.parametrize(
    "variable", ["HTTP_PROXY", "HUAWEICLOUD_SDK_REGION_GES_CN_NORTH_4", "HUAWEICLOUD_SDK_REGION_OBS_CN_NORTH_4"]
)
def test_password_of_a_url_stays_inside(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], variable: str, user_info: str
) -> None:
    monkeypatch.setattr(Context, "milliseconds", 1000)
    for scheme in ("http://", ""):
        result = run(cloud, monkeypatch, "obs://state/ges", {variable: f"{scheme}{user_info}@127.0.0.1:9"})
        text = json.dumps(result, ensure_ascii=False) + "".join(capfd.readouterr())
        assert result["errors"]
        for secret in (f"{user_info}@", *([user_info.partition(":")[2]] if len(user_info) > 10 else [])):
            assert secret not in text
            assert unquote(secret) not in text
