"""Requests as the official signer makes them, for what the official clients never send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY
from tests.builders import PROJECT_ID


def signed(
    method: str,
    url: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    query: tuple[tuple[str, str], ...] = (),
    key: tuple[str, str] = (ACCESS_KEY, SECRET_KEY),
) -> requests.PreparedRequest:
    """Signed by huaweicloudsdkcore. A text is sent as it is, anything else as JSON."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
    request = SdkRequest(
        method=method,
        schema=scheme,
        host=host,
        resource_path=f"/{path}",
        query_params=list(query),
        header_params={"Content-Type": "application/json", **(headers or {})},
        body=text,
    )
    Signer(BasicCredentials(*key, PROJECT_ID)).sign(request)
    return requests.Request(method, f"{scheme}://{host}{request.uri}", request.header_params, data=text).prepare()


def send(request: requests.PreparedRequest) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.send(request, timeout=10, allow_redirects=False)


def call(method: str, url: str, body: object = None, **how: Any) -> requests.Response:
    return send(signed(method, url, body, **how))
