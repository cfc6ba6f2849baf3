"""Where the policy comes from: a variable, a file, or an object in OBS; and what an instance remembers of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ges_upgrader.clock import Clock
from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.cloud.obs import Obs
from ges_upgrader.cloud.platform import Platform
from ges_upgrader.policy.fields import State
from ges_upgrader.policy.parsing import PolicyError, parse_policy
from ges_upgrader.policy.schema import Policy
from ges_upgrader.running.context import Deadline

if TYPE_CHECKING:
    from ges_upgrader.log import Log

_OBJECT = re.compile(r"obs://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)")
_MOST_BYTES = 1024 * 1024
_ENCODING = "is not encoded in UTF-8 (it may be GBK); save it as UTF-8"


class PolicyUnreachable(Exception):
    """The object that POLICY_FILE names cannot be read. The platform should invoke the function again, which is safe."""


class Fetched(msgspec.Struct, frozen=True):
    """What an object of OBS held when it was read last."""

    place: str
    etag: str
    content: bytes


class PolicySource:
    """Reads the policy for each run, and parses it only if its text changed. `code` is the folder of the handler.

    `text` is what was read last, None: nothing that is text. `last` is the last policy that could be used.
    """

    def __init__(self, code: Path, clock: Clock) -> None:
        self._code, self._clock = code, clock
        self._parsed: tuple[str, Policy | PolicyError] | None = None
        self._fetched: Fetched | None = None
        self.text: str | None = None
        self.last: Policy | None = None

    def policy(self, platform: Platform, region: str | None = None, log: Log | None = None) -> Policy:
        """The policy. `region` is the function's own, where REGION does not say it. Raises PolicyError, PolicyUnreachable."""
        self.text = None
        place = None if platform.variable("POLICY") else platform.variable("POLICY_FILE")
        if place is not None and place.startswith("obs://"):
            self.text = _decoded(self._object(place, platform, region, log), "the object that POLICY_FILE names")
        else:
            place, self.text = None, self._of_variable_or_file(platform)
        if self._parsed is None or self._parsed[0] != self.text:
            self._parsed = (self.text, _parsed(self.text))
        policy = self._parsed[1]
        if isinstance(policy, PolicyError):
            raise PolicyError(policy.problems)
        if place is not None:
            _must_be_outside(place, policy.state)
        self.last = policy
        return policy

    def _of_variable_or_file(self, platform: Platform) -> str:
        try:
            return platform.policy_text(self._code)
        except UnicodeDecodeError:
            raise PolicyError([f"the policy file {_ENCODING}"]) from None
        except (OSError, ValueError) as error:
            raise PolicyError([f"the policy file cannot be read: {error}; set POLICY, or POLICY_FILE to its path"]) from None

    def _object(self, place: str, platform: Platform, region: str | None, log: Log | None) -> bytes:
        """The content of an object, which is transferred only if it changed since this instance read it."""
        known = self._fetched if self._fetched is not None and self._fetched.place == place else None
        bucket, key = _address(place)
        obs = self._bucket(bucket, platform, _region(place, platform, region))
        try:
            found = obs.read_whole(key, known.etag if known else None)
        except CloudError as error:
            raise PolicyUnreachable(f"{place} cannot be read: {error}") from None
        fetched = Fetched(place, found.etag, found.content) if found is not None else known
        assert fetched is not None  # an object is unchanged only beside what is known of it
        if log is not None:
            log.info("policy.read", source=place, etag=fetched.etag, changed=found is not None)
        self._fetched = fetched
        return fetched.content

    def _bucket(self, name: str, platform: Platform, region: str) -> Obs:
        base, keys = platform.bucket(name, region), platform.keys().masking(platform.secrets)
        return Obs(keys, name, region, base, self._clock, Deadline(platform, self._clock).remaining)


def _address(place: str) -> tuple[str, str]:
    """The bucket and the key. Raises PolicyUnreachable."""
    match = _OBJECT.fullmatch(place)
    if match is None:
        raise PolicyUnreachable(f"POLICY_FILE is {place!r}; expected obs://bucket/key, a path, or POLICY instead")
    return match[1], match[2]


def _region(place: str, platform: Platform, found: str | None) -> str:
    """The function's own region. Raises PolicyUnreachable."""
    region = platform.variable("REGION") or found
    if region is None:
        raise PolicyUnreachable(f"{place} cannot be read, as the function's region is unknown: set the variable REGION")
    return region


def _decoded(content: bytes, what: str) -> str:
    if len(content) > _MOST_BYTES:
        raise PolicyError([f"{what} is larger than 1 MB; it is likely no policy"])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PolicyError([f"{what} {_ENCODING}"]) from None


def _must_be_outside(place: str, state: State) -> None:
    """Whoever may write the journal must not write the policy (deploy.md 3). Raises PolicyError."""
    if state.bucket is None or not place.startswith("/".join(filter(None, (f"obs://{state.bucket}", state.prefix))) + "/"):
        return
    raise PolicyError(
        [
            f"state: {state.text} holds the policy's own object, {place}; give the policy a key outside, so that the function "
            "needs no right to write it"
        ]
    )


def _parsed(text: str) -> Policy | PolicyError:
    try:
        return parse_policy(text)
    except PolicyError as error:
        return error
