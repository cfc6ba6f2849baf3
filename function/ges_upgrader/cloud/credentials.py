"""Who the function is to the cloud, and how a request shows it (ges.md 1, smn-obs-core.md B4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

import msgspec
from requests import PreparedRequest
from requests.auth import AuthBase

from ges_upgrader.redaction import Secrets

_SIGNED = ("Content-Type", "Host", "X-Project-Id", "X-Sdk-Date", "X-Security-Token")


class Credentials(msgspec.Struct, frozen=True):
    """Either a key pair, temporary with a security token, or an IAM token of a project. Never printed.

    `others` are further secrets of the run. They are not sent, only masked.
    """

    ak: str = ""
    sk: str = ""
    security_token: str = ""
    token: str = ""
    others: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Credentials(…)"

    def masking(self, secrets: tuple[str, ...]) -> Credentials:
        """The same with further secrets to mask."""
        return msgspec.structs.replace(self, others=secrets)

    @property
    def values(self) -> tuple[str, ...]:
        """What must never be shown."""
        return (self.ak, self.sk, self.security_token, self.token, *self.others)

    def mask(self, text: str, sent: Mapping[str, str] | None = None) -> str:
        """The text without these credentials, and without the signature in the headers that were `sent`.

        Mask the whole text before you cut it (see Secrets).
        """
        masked = Secrets.of(self.values).mask(text)
        return Secrets.of([signature_in(sent)]).mask(masked) if sent else masked


def signature_in(headers: Mapping[str, str]) -> str:
    """The signature alone: the last part of `Authorization`, by either scheme (smn-obs-core.md B4, C1); "": there is none."""
    return str(headers.get("Authorization") or "").rpartition("Signature=")[2].rpartition(":")[2].strip()


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
