"""Who the function is to the cloud, and how a request shows it (ges.md 1, smn-obs-core.md B4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

import msgspec
from requests import PreparedRequest
from requests.auth import AuthBase

_SIGNED = ("Content-Type", "Host", "X-Project-Id", "X-Sdk-Date", "X-Security-Token")


class Credentials(msgspec.Struct, frozen=True):
    """Either a key pair, temporary with a security token, or an IAM token of a project. Never printed."""

    ak: str = ""
    sk: str = ""
    security_token: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return "Credentials(…)"

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(secret for secret in (self.sk, self.security_token, self.token, self.ak) if secret)

    def hidden_in(self, text: str) -> str:
        """The whole text with the secrets starred. It must not be cut before: half a secret is not found."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


class Signature(AuthBase):
    """Signs a request with huaweicloudsdkcore's signer, or adds the token.

    Only headers that no proxy may touch are signed. As requests' `auth` it also keeps a ~/.netrc from being used.
    """

    def __init__(self, credentials: Credentials, now: Callable[[], datetime]) -> None:
        self._credentials = credentials
        self._now = now

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if not self._credentials.ak:
            request.headers["X-Auth-Token"] = self._credentials.token
            return request
        from huaweicloudsdkcore.sdk_request import SdkRequest
        from huaweicloudsdkcore.signer.signer import Signer

        url = urlsplit(request.url or "")
        request.headers["Host"] = url.netloc
        request.headers["X-Sdk-Date"] = self._now().strftime("%Y%m%dT%H%M%SZ")
        if self._credentials.security_token:
            request.headers["X-Security-Token"] = self._credentials.security_token
        signed = SdkRequest(
            method=request.method,
            schema=url.scheme,
            host=url.netloc,
            resource_path=url.path,
            query_params=parse_qsl(url.query, keep_blank_values=True),
            header_params={name: request.headers[name] for name in _SIGNED if name in request.headers},
            body=request.body or b"",
        )
        request.headers["Authorization"] = Signer(self._credentials).sign(signed).header_params["Authorization"]
        return request
