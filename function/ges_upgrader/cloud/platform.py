"""FunctionGraph's context, variables and libraries, as far as they are there (functiongraph.md; deploy.md 8).

Older images lack methods, local runs lack the whole context: what is missing is None, never an error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ges_upgrader.cloud.credentials import Credentials

LONGEST_TIME = timedelta(days=3)  # what the platform allows (functiongraph.md, Runtime)
MILLISECOND = timedelta(milliseconds=1)
# huaweicloudsdkcore is imported with the first call. Of tzdata only the data are used; its package is small.
_NAMES = ("requests", "urllib3", "msgspec", "yaml", "structlog", "tzdata", "huaweicloudsdkcore")


class Platform:
    """One invocation's surroundings."""

    def __init__(self, context: object) -> None:
        self._context = context

    @property
    def request_id(self) -> str | None:
        return self._text("getRequestID")

    @property
    def function_name(self) -> str | None:
        return self._text("getFunctionName")

    @property
    def project_id(self) -> str | None:
        return self._text("getProjectID") or self.variable("HUAWEICLOUD_SDK_PROJECT_ID")

    def function_urn(self, region: str) -> str | None:
        """The function's own URN in its region, of the version that runs. None if the context lacks a part of it."""
        parts = (self.project_id, self._text("getPackage"), self.function_name)
        if None in parts:
            return None
        project_id, package, name = parts
        return f"urn:fss:{region}:{project_id}:function:{package}:{name}:{self._text('getVersion') or 'latest'}"

    def variable(self, name: str) -> str | None:
        """A variable of the function, or of the process."""
        return self._text("getUserData", name) or os.environ.get(name, "").strip() or None

    def remaining(self) -> timedelta | None:
        """The time until the platform kills the run."""
        left = self._call("getRemainingTimeInMilliSeconds")
        if _is_number(left):
            return min(timedelta(milliseconds=max(min(left, LONGEST_TIME / MILLISECOND), 0)), LONGEST_TIME)
        whole = self._call("getRunningTimeInSeconds")
        return min(timedelta(seconds=min(whole, 10**9)), LONGEST_TIME) if isinstance(whole, int) and whole > 0 else None

    def credentials(self) -> Credentials | None:
        """Those of the agency, temporary; else its token; else those of the SDK's variables."""
        return self._keys_of_the_agency() or (Credentials(token=self.token) if self.token else self._keys_of_variables())

    def keys(self) -> Credentials:
        """For OBS, which takes no token. Empty if the function has only a token."""
        return self._keys_of_the_agency() or self._keys_of_variables() or Credentials()

    def _keys_of_the_agency(self) -> Credentials | None:
        ak, sk = self._text("getSecurityAccessKey"), self._text("getSecuritySecretKey")
        return Credentials(ak, sk, self._text("getSecurityToken") or "") if ak and sk else None

    def _keys_of_variables(self) -> Credentials | None:
        ak, sk = self.variable("HUAWEICLOUD_SDK_AK"), self.variable("HUAWEICLOUD_SDK_SK")
        return Credentials(ak, sk, self.variable("HUAWEICLOUD_SDK_SECURITY_TOKEN") or "") if ak and sk else None

    @property
    def token(self) -> str | None:
        """The IAM token of the agency, which graphs' own engines want (ges.md 2.8)."""
        return self._text("getToken")

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no text may show: all credentials within reach, and the passwords of proxies and endpoints."""
        within_reach = (self._keys_of_the_agency(), self._keys_of_variables(), Credentials(token=self.token or ""))
        values = chain.from_iterable(credentials.values for credentials in filter(None, within_reach))
        return (*filter(None, values), *_passwords())

    def policy_text(self, beside: Path) -> str:
        """POLICY, or the file that POLICY_FILE names, or policy.yaml `beside` the handler. Raises OSError, ValueError."""
        text = self.variable("POLICY")
        if text is not None:
            return text
        return Path(self.variable("POLICY_FILE") or beside / "policy.yaml").read_text("utf-8-sig")

    def bucket(self, name: str, region: str) -> str:
        """The address of a bucket of OBS; behind the SDK's own variable its name stands in the path (interface.md)."""
        override = self.variable(f"HUAWEICLOUD_SDK_REGION_OBS_{region}".upper().replace("-", "_"))
        return f"{override.rstrip('/')}/{name}" if override else f"https://{name}.obs.{region}.myhuaweicloud.com"

    def endpoint(self, service: str, region: str) -> str:
        """The address of a service in a region, which the SDK's own variable may override (interface.md, Environment)."""
        name = f"HUAWEICLOUD_SDK_REGION_{service}_{region}".upper().replace("-", "_")
        return self.variable(name) or f"https://{service}.{region}.myhuaweicloud.com"

    def _text(self, method: str, *arguments: str) -> str | None:
        value = self._call(method, *arguments)
        return (value.strip() or None) if isinstance(value, str) else None

    def _call(self, method: str, *arguments: str) -> Any:
        function = getattr(self._context, method, None)
        if not callable(function):
            return None
        try:
            return function(*arguments)
        except Exception:
            return None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _passwords() -> Iterator[str]:
    """Of the URLs in the process's variables that hold any, with and without the user, as they are and decoded."""
    for url in (value for name, value in os.environ.items() if _holds_url(name) and "@" in value):
        user_info = url.rpartition("@")[0].rpartition("//")[2]
        for secret in (user_info, user_info.partition(":")[2]):
            yield from (secret, unquote(secret))


def _holds_url(variable: str) -> bool:
    return variable.lower().endswith("_proxy") or variable.startswith("HUAWEICLOUD_SDK_REGION_")


def libraries(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Version and path of each library, and the names of those that come from elsewhere although `folder` holds them.

    What is not imported has a path and no version.
    """
    with suppress(ImportError):
        import_module("tzdata")
    found = {name: " ".join(filter(None, (_version(name), _path(name)))) for name in _NAMES}
    foreign = [name for name in _NAMES if (folder / name).is_dir() and not _path(name).startswith(f"{folder}/")]
    return found, foreign


def _version(name: str) -> str:
    module = sys.modules.get(name)
    return str(vars(module).get("__version__", "")) if module else ""  # structlog's __getattr__ raises without metadata


def _path(name: str) -> str:
    module = sys.modules.get(name)
    try:
        spec = module.__spec__ if module else find_spec(name)
        return spec.origin or "" if spec else "not found"
    except Exception as error:  # whatever an importer of the runtime raises
        return f"not found: {type(error).__name__}"
