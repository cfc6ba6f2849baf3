"""What FunctionGraph accepts as a function's configuration and code (deploy.md 1.1, 1.2 and 1.5)."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ...obs.models import Bucket
from ..errors import refusal
from ..models import Code

RUNTIMES = tuple(f"Python{version}" for version in ("2.7", "3.6", "3.9", "3.10", "3.12"))
MEMORY = (128, 256, *range(512, 4097, 256), 8192, 10240)  # MB
REQUIRED = ("func_name", "runtime", "timeout", "handler", "memory_size")
MAX_VARIABLES, MAX_ENVIRONMENT, MAX_DESCRIPTION = 20, 4096, 512
MAX_ZIP, MAX_INLINE = 50 * 1024 * 1024, 10 * 1024  # bytes
_URL = re.compile(r"https://(?P<bucket>[a-z0-9.-]+)\.obs\.(?P<region>[a-z0-9-]+)\.myhuaweicloud\.com/(?P<key>.+)")


def check_settings(body: Mapping[str, Any]) -> None:
    """Raises Refusal with the code of the first field that is wrong."""
    for name in REQUIRED:
        if body.get(name) in (None, ""):
            raise refusal("FSS.0400", f"{name} is required.")
    for name, code, holds in _RULES:
        if not holds(body.get(name)):
            raise refusal(code)
    _check_variables(body)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z](?=.{1,59}$)[A-Za-z0-9_-]*[A-Za-z0-9]", value) is not None


def _is_handler(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+", value) is not None


def _is_number(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _or_absent(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value in (None, "") or holds(value)


_RULES: tuple[tuple[str, str, Callable[[Any], bool]], ...] = (
    ("func_name", "FSS.1002", _is_name),
    ("runtime", "FSS.1005", lambda value: value in RUNTIMES),
    ("timeout", "FSS.1008", _is_number(3, 259_200)),
    ("handler", "FSS.1003", _is_handler),
    ("memory_size", "FSS.1007", lambda value: value in MEMORY),
    ("description", "FSS.1019", _or_absent(lambda value: isinstance(value, str) and len(value) <= MAX_DESCRIPTION)),
    ("initializer_handler", "FSS.1404", _or_absent(_is_handler)),
    ("initializer_timeout", "FSS.1405", _or_absent(_is_number(1, 300))),
)


def _check_variables(body: Mapping[str, Any]) -> None:
    """At most 20 variables with 4,096 characters, plain and encrypted ones together."""
    found: dict[str, Any] = {}
    for name in ("user_data", "encrypted_user_data"):
        found |= variables_of(body.get(name))
    if len(found) > MAX_VARIABLES:
        raise refusal("FSS.1017")
    if sum(len(name) + len(value) for name, value in found.items()) > MAX_ENVIRONMENT:
        raise refusal("FSS.1018")


def variables_of(text: Any) -> dict[str, str]:
    """The variables in `user_data`, which is a text that holds a JSON object of texts."""
    if text in (None, ""):
        return {}
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        raise refusal("FSS.1009") from None
    if not isinstance(found, dict) or not all(_is_variable(name, value) for name, value in found.items()):
        raise refusal("FSS.1009")
    return found


def _is_variable(name: str, value: Any) -> bool:
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) is not None and isinstance(value, str)


def code_of(body: Mapping[str, Any], buckets: Mapping[str, Bucket], region: str) -> Code:
    """The code in the body of a request, or in OBS. A zip without content is accepted: its code is empty (deploy.md 1.2)."""
    kind = body.get("code_type")
    if kind == "obs":
        return _code_in_obs(str(body.get("code_url", "")), buckets, region)
    if kind not in ("zip", "inline"):
        raise refusal("FSS.0400", "code_type must be zip, inline or obs.")
    filename = str(body.get("code_filename") or "")
    if kind == "zip" and not filename:
        raise refusal("FSS.0400", "code_filename is required for a zip.")
    if "/" in filename or "\\" in filename:
        raise refusal("FSS.1078")
    return Code(_content(body, kind), kind, filename)


def _content(body: Mapping[str, Any], kind: str) -> bytes:
    given = (body.get("func_code") or {}).get("file") or ""
    try:
        content = base64.b64decode(given, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise refusal("FSS.0400", "func_code.file must be base64.") from None
    if kind == "inline" and len(content) > MAX_INLINE:
        raise refusal("FSS.1072")
    if len(content) > MAX_ZIP:
        raise refusal("FSS.1071")
    return content


def _code_in_obs(url: str, buckets: Mapping[str, Bucket], region: str) -> Code:
    found = _URL.fullmatch(url)
    bucket = buckets.get(found["bucket"]) if found else None
    if found is None or bucket is None or found["key"] not in bucket.objects:
        raise refusal("FSS.1054")
    if bucket.region != region:
        raise refusal("FSS.1151")
    return Code(bucket.objects[found["key"]].data, "obs", url=url)
