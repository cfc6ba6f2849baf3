"""Checks who signed a request: SDK-HMAC-SHA256 and tokens (ges.md 1, smn-obs-core.md B4), and OBS's own scheme (C1)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote

from ..wire import Refusal, Request

SKEW = timedelta(minutes=15)
_AUTHORIZATION = re.compile(
    r"SDK-HMAC-SHA256 Access=(?P<access>[^,]+), SignedHeaders=(?P<names>[^,]+), Signature=(?P<signature>[0-9a-f]{64})"
)
_PREFIXES = {"OBS": "x-obs-", "AWS": "x-amz-"}  # of the headers that are signed
UNSIGNED = "UNSIGNED-PAYLOAD"  # the SDK's word for bodies that are neither JSON nor BSON (smn-obs-core.md B4)

Keys = Mapping[str, tuple[str, "str | None"]]  # secret key and security token by access key
Times = Collection[datetime]  # what may be the present


def check(request: Request, keys: Keys, tokens: set[str], now: Times) -> None:
    """Raises Refusal 401 APIGW.0301 unless a known key signed the request, or it carries a known token."""
    if "x-auth-token" in request.headers:
        _check_token(request, tokens)
    else:
        _check_signature(request, keys, now)


def _check_token(request: Request, tokens: set[str]) -> None:
    if request.headers["x-auth-token"] not in tokens:
        raise _refused("token is invalid or expired")


def _check_signature(request: Request, keys: Keys, now: Times) -> None:
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        raise _refused("the Authorization header is missing or malformed")
    names = found["names"].split(";")
    secret = _secret_of(found["access"], names, request, keys)
    stamp = _date(request, names, now)
    _check_digest(request)
    if not hmac.compare_digest(found["signature"], _sign(request, names, stamp, secret)):
        raise _refused("verify aksk signature fail")


def _check_digest(request: Request) -> None:
    digest = request.headers.get("x-sdk-content-sha256", UNSIGNED)
    if digest not in (UNSIGNED, hashlib.sha256(request.body).hexdigest()):
        raise _refused("X-Sdk-Content-Sha256 does not match the body")


def _secret_of(access: str, names: list[str], request: Request, keys: Keys) -> str:
    """The secret key. A temporary access key needs its security token, which must be signed too."""
    if access not in keys:
        raise _refused("the access key does not exist")
    secret, security_token = keys[access]
    if request.headers.get("x-security-token") != security_token:
        raise _refused("the security token is missing, wrong, or does not belong to this access key")
    if security_token is not None and "x-security-token" not in names:
        raise _refused("the security token is not signed")
    return secret


def _date(request: Request, names: list[str], now: Times) -> str:
    if not {"host", "x-sdk-date"} <= set(names):
        raise _refused("host and x-sdk-date must be signed")
    stamp = request.headers.get("x-sdk-date", "")
    try:
        date = _parsed(stamp)
    except ValueError:
        raise _refused("X-Sdk-Date is malformed") from None
    if all(abs(one - date) > SKEW for one in now):
        raise _refused("X-Sdk-Date is more than 15 minutes off")
    return stamp


def _sign(request: Request, names: list[str], stamp: str, secret: str) -> str:
    query = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in sorted(request.query.items()))
    headers = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in sorted(names))
    parts = (request.method, _canonical_path(request.path), query, headers, ";".join(sorted(names)), _digest(request))
    canonical = "\n".join(parts)
    to_sign = f"SDK-HMAC-SHA256\n{stamp}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


def _quoted(text: str) -> str:
    return quote(text, safe="~")


def _canonical_path(path: str) -> str:
    return "/".join(map(_quoted, unquote(path).split("/"))).removesuffix("/") + "/"


def _digest(request: Request) -> str:
    given = request.headers.get("x-sdk-content-sha256") if request.body else None
    return given or hashlib.sha256(request.body).hexdigest()


def _refused(why: str) -> Refusal:
    return Refusal(401, "APIGW.0301", f"Incorrect IAM authentication information: {why}")


def check_obs(request: Request, bucket: str, key: str, keys: Keys, now: Times) -> None:
    """Raises Refusal 403 unless a known key signed the request: `Authorization: OBS AK:base64(HMAC-SHA1(SK, …))`.

    OBS takes AWS's name of the scheme and of the headers, too. Its own client uses them at an IP address.
    """
    headers = request.headers
    if "authorization" not in headers:
        raise Refusal(403, "AccessDenied", "Access Denied")
    found = re.fullmatch(r"(OBS|AWS) ([^:]+):(.+)", headers["authorization"])
    if found is None or found[2] not in keys:
        raise Refusal(403, "InvalidAccessKeyId", "The access key does not exist.")
    prefix = _PREFIXES[found[1]]
    secret, security_token = keys[found[2]]
    if headers.get(f"{prefix}security-token") != security_token:
        raise Refusal(403, "InvalidAccessKeyId", "The security token is missing or wrong.")
    if not _is_fresh(headers.get(f"{prefix}date") or headers.get("date", ""), now):
        raise Refusal(403, "RequestTimeTooSkewed", "The request's time is missing, or more than 15 minutes off.")
    if not any(hmac.compare_digest(found[3], _sign_obs(text, secret)) for text in _to_sign(request, bucket, key, prefix)):
        raise Refusal(403, "SignatureDoesNotMatch", "The request signature does not match.")


def _sign_obs(text: str, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()).decode()


def _to_sign(request: Request, bucket: str, key: str, prefix: str) -> list[str]:
    """A bucket that stands in the path is signed with a slash after it, or without one."""
    headers = request.headers
    date = "" if f"{prefix}date" in headers else headers.get("date", "")
    own = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()) if name.startswith(prefix))
    parts = [request.method, headers.get("content-md5", ""), headers.get("content-type", ""), date]
    head, path = "\n".join(parts) + f"\n{own}", f"/{bucket}/{quote(key, safe='/~')}" if bucket else "/"
    return [f"{head}{one}{_subresource(request)}" for one in {path, path.removesuffix("/") or "/"}]


def _subresource(request: Request) -> str:
    named = ((name, value) for name, value in sorted(request.query.items()) if name in _SUBRESOURCES)
    pairs = [f"{name}={value}" if value else name for name, value in named]
    return "?" + "&".join(pairs) if pairs else ""


def signed_at(headers: Mapping[str, str]) -> datetime | None:
    """When the client says that it signed; None without a date that can be read."""
    try:
        if "x-sdk-date" in headers:
            return _parsed(headers["x-sdk-date"])
        date = headers.get("x-obs-date") or headers.get("x-amz-date") or headers["date"]
        return parsedate_to_datetime(date).astimezone(timezone.utc)
    except (KeyError, TypeError, ValueError):
        return None


def _parsed(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)


def _is_fresh(date: str, now: Times) -> bool:
    try:
        return any(abs(one - parsedate_to_datetime(date)) <= SKEW for one in now)
    except (TypeError, ValueError):
        return False


_SUBRESOURCES = (
    *("acl", "append", "delete", "encryption", "lifecycle", "location", "partNumber", "policy", "position"),
    *(
        "publicAccessBlock",
        "storageClass",
        "storagePolicy",
        "storageinfo",
        "tagging",
        "uploadId",
        "uploads",
        "versionId",
        "versioning",
        "versions",
    ),
)
