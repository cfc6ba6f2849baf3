"""Every call that the official SDK makes when it deploys, as recorded from it, is answered (deploy.md)."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from huaweicloud_simulator import Cloud, serve
from huaweicloud_simulator.obs.models import Object
from tests.wire.conftest import payload

PROJECT, DOMAIN = "00000000000000000000000000000001", "D" * 32
MEMBER = "E" * 32
CALLS = payload("sdk_requests")


class Account:
    """A cloud with what the recorded calls name; ids that the cloud gives are put into their paths."""

    def __init__(self) -> None:
        self.cloud = cloud = Cloud()
        cloud.iam.domains = {DOMAIN: "ours", MEMBER: "member", "EEE": "member5"}
        for key, token in (("AK1", None), ("AK2", "TOK"), ("AK3", "T")):
            cloud.credentials(key, "secret", token)
        cloud.project("cn-north-4", PROJECT)
        cloud.project("cn-north-4", "p").topic("t")
        cloud.bucket("b").objects["k.zip"] = Object(b"PK", appendable=False)
        cloud.iam.add_agency("a")
        for domain in (MEMBER, "EEE"):
            cloud.iam.add_agency("ges-upgrader-member", trusts="ours", domain_id=domain)

    def prepare(self, name: str) -> dict[str, str]:
        """What must exist before a call; the ids of what does, by the words that stand for them in the recording."""
        cloud, found = self.cloud, {}
        own = cloud.iam.agency("bound") or cloud.iam.add_agency("bound")
        found["/agencies/A"] = f"/agencies/{own.id}"
        found["/roles/R"] = "/roles/ges_fullaccess"
        if name == "check grant":
            cloud.iam.grant(own, cloud.iam.roles["ges_fullaccess"], "project", PROJECT)
        timers = [one for function in cloud.functions.functions.values() for one in function.triggers if one.type == "TIMER"]
        if timers:
            found["/TIMER/id"] = f"/TIMER/{timers[0].id}"
        for group in cloud.lts.groups.values():
            found["/groups/g/"] = f"/groups/{group.id}/"
            found['"log_group_id": "g"'] = f'"log_group_id": "{group.id}"'
            for stream in group.streams:
                found['"log_stream_id": "s"'] = f'"log_stream_id": "{stream}"'
        if name == "agency policy":
            cloud.iam.roles = {id: role for id, role in cloud.iam.roles.items() if role.display_name != "p"}
        return found


def replaced(words: dict[str, str], text: str) -> str:
    for word, real in words.items():
        text = text.replace(word, real)
    return text


def send(url: str, call: dict[str, Any], change: Callable[[str], str]) -> requests.Response:
    """The call with a signature of the SDK's own signer."""
    token = call["headers"].get("X-Security-Token")
    key = {None: "AK1", "TOK": "AK2", "T": "AK3"}[token]
    path, _, query = change(call["path"]).partition("?")
    body = "" if call["body"] is None else change(json.dumps(call["body"]))
    headers = {name: value for name, value in call["headers"].items() if name != "Authorization"}
    pairs = [tuple(pair.split("=")) for pair in query.split("&")] if query else []
    request = SdkRequest(call["method"], "http", urlsplit(url).netloc, path, path, pairs, headers, body)
    signed = Signer(BasicCredentials(key, "secret", PROJECT)).sign(request)
    address = f"{url}{path}" + (f"?{query}" if query else "")
    return requests.request(call["method"], address, headers=signed.header_params, data=body.encode(), timeout=10)


def test_every_recorded_call_is_answered() -> None:
    account, refused = Account(), {}
    account.cloud.on_call = lambda urn, event: {"urn": urn, "event": event}
    with serve(account.cloud) as server:
        for call in CALLS:
            words = account.prepare(call["call"])
            answer = send(server.url, call, partial(replaced, words))
            if not answer.ok:
                refused[call["call"]] = (answer.status_code, answer.text)
    assert refused == {}
    assert len(CALLS) == 41
    assert "unknown" not in {request.operation.partition(".")[2] for request in account.cloud.requests}


@pytest.mark.parametrize("name", ["create", "topic", "agency", "policy", "log group", "trig smn"])
def test_call_without_a_known_key_is_refused(name: str) -> None:
    account = Account()
    account.cloud.iam.keys.clear()
    (call,) = [one for one in CALLS if one["call"] == name]
    with serve(account.cloud) as server:
        assert send(server.url, call, str).status_code == 401
