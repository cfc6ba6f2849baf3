"""Policy text, YAML or JSON, to a `Policy`: strictly, and with all the errors at once (interface.md, Policy).

Decoding is msgspec's, which stops at the first error. So that an operator sees all of them, what it objects to is taken
out and the rest is decoded again, until nothing is objected to. A policy with an error is never used.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from .policy_text import UnreadableText, read
from .versions import Version
from .windows import Window, first_start

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

ZERO = timedelta()

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_TOPIC = re.compile(r"urn:smn:([a-z0-9-]+):([A-Za-z0-9]{1,64}):([A-Za-z0-9][A-Za-z0-9_-]{0,254})", re.ASCII)
_PROJECT_ID = r"^[A-Za-z0-9]{1,64}$"
_REGION = r"^[a-z0-9]+(-[a-z0-9]+)*$"


class PolicyError(Exception):
    """The policy cannot be used. `problems` says for each error where, what was found and what is accepted."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Duration(timedelta):
    """A length of time with its unit: `90m`, `36h`, `7d`. A bare number is refused: of what?"""

    @classmethod
    def parse(cls, value: object) -> Duration:
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValueError("expected a number with its unit (s, m, h, d or w), as 90m, 36h or 7d")
        return cls(**{_UNITS[match[2]]: int(match[1])})


class Instant(datetime):
    """A date, which means its midnight in UTC, or an instant with its offset."""

    @classmethod
    def parse(cls, value: object) -> Instant:
        try:
            text = str(value)
            if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
                day = date.fromisoformat(text)
                return cls(day.year, day.month, day.day, tzinfo=timezone.utc)
            moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text))
            if moment.tzinfo is None:
                raise ValueError
            utc = moment.astimezone(timezone.utc)
            return cls(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, tzinfo=timezone.utc)
        except (ValueError, OverflowError):
            raise ValueError("expected a date, as 2026-10-01, or an instant, as 2026-10-01T02:00:00Z") from None


class Topic:
    """The URN of an SMN topic (smn-obs-core.md A7)."""

    __slots__ = ("name", "project_id", "region", "urn")

    def __init__(self, value: object) -> None:
        match = _TOPIC.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValueError("expected the URN of a topic, as urn:smn:cn-north-4:<project_id>:ges-upgrades")
        self.urn = match[0]
        self.region, self.project_id, self.name = match.groups()


class State:
    """Where the journal is: `none`, or `file:///path` of a folder."""

    __slots__ = ("folder", "text")

    def __init__(self, value: object) -> None:
        if isinstance(value, str) and value.startswith("obs://"):
            raise ValueError("obs:// is not supported yet; accepted are none and file:///path")
        if not isinstance(value, str) or not (value == "none" or re.fullmatch(r"file:///[^\0]+", value)):
            raise ValueError("expected none, or file:///path with the absolute path of a folder")
        self.text = value
        self.folder = None if value == "none" else Path(value.removeprefix("file://"))


class Versions:
    """PEP 440 specifiers, as `>=2.4.4,<3,!=2.4.9`. Parsed when first asked, since not every run needs them."""

    __slots__ = ("_specifiers", "text")

    def __init__(self, value: object) -> None:
        if not isinstance(value, str) or not value.strip():
            raise ValueError('expected version specifiers in quotes, as ">=2.4.4,<3,!=2.4.9"')
        self.text = value
        self._specifiers = self._parse(value)

    @staticmethod
    def _parse(text: str) -> SpecifierSet:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        try:
            return SpecifierSet(text)
        except InvalidSpecifier:
            raise ValueError('expected version specifiers of PEP 440, as ">=2.4.4,<3,!=2.4.9" or "~=2.4"') from None

    def allow(self, version: Version) -> bool:
        return self._specifiers.contains(version.text)


class Tags:
    """Tags that a graph must have, all of them, each with this value; values may be globs."""

    __slots__ = ("wanted",)

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict) or not value:
            raise ValueError("expected tags and their values, as {env: prod}")
        for tag, wanted in value.items():
            if not isinstance(tag, str) or not isinstance(wanted, str):
                raise ValueError(f"expected text as the value of the tag {tag!r}, in quotes if need be; found {wanted!r}")
        self.wanted: Mapping[str, str] = value


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Notify(_Strict, frozen=True):
    topic: Annotated[Topic, Meta(description="the URN of a topic")]
    on: Annotated[
        tuple[Literal["succeeded", "failed"], ...],
        Meta(description="a list of succeeded and failed (planned, started and blocked are not supported yet)"),
    ] = ("succeeded", "failed")


class KnownRelease(_Strict, frozen=True):
    version: Annotated[Version, Meta(description="a version, as 2.4.15")]
    released_at: Annotated[Instant | None, Meta(description="a date or an instant")] = None


class PolicyProject(_Strict, frozen=True):
    region: Annotated[str, Meta(pattern=_REGION, description="a region, as cn-north-4")]
    project_id: Annotated[str, Meta(pattern=_PROJECT_ID, description="the id of a project, letters and digits")]


Glob = Annotated[str, Meta(min_length=1, description="a text, in which * and ? stand for any text and any character")]


class Match(_Strict, frozen=True):
    """What a graph must be like to be governed by the rule: all that is given. Nothing given: every graph."""

    name: Glob | None = None
    id: Glob | None = None
    tags: Annotated[Tags | None, Meta(description="tags and their values, as {env: prod}")] = None
    region: Glob | None = None
    project_id: Glob | None = None
    enterprise_project: Glob | None = None
    product_type: Glob | None = None


Whole = Annotated[int, Meta(ge=1, description="a whole number from 1")]
Length = Annotated[Duration, Meta(description="a duration, as 90m, 36h or 7d")]


class Rule(_Strict, frozen=True):
    """One rule. The fields behind the blank line are known and refused until they are built."""

    name: Annotated[str, Meta(min_length=1, description="a text")] = ""
    match: Match = Match()
    versions: Annotated[Versions | None, Meta(description="PEP 440 specifiers")] = None
    windows: Annotated[tuple[Window, ...], Meta(description="a list of windows, as `Sat,Sun 02:00-06:00 Asia/Shanghai`")] = ()
    cutoff: Annotated[Duration | None, Meta(description="a duration, as 30m")] = None
    max_concurrent: Whole = 1
    max_failures: Whole = 1
    force: Annotated[Literal["never", "always"], Meta(description="never or always ({after: …} is not supported yet)")] = (
        "never"
    )
    job_timeout: Length = Duration(hours=2)

    mode: Any = "auto"
    min_release_age: Any = "0d"
    notice: Any = "0d"
    after: Any = ()
    soak: Any = "0d"
    max_graphs: Any = None
    backup: Any = "none"


class Policy(_Strict, frozen=True):
    """The effective policy: what the operator wrote, with the defaults in their places."""

    version: Annotated[Literal[1], Meta(description="1")] = 1
    enabled: Annotated[bool, Meta(description="true or false")] = True
    notify: Annotated[Notify | UnsetType, Meta(description="a topic's URN, or {topic, on}")] = UNSET
    state: Annotated[State, Meta(description="none or file:///path")] = State("none")
    release_topics: Annotated[tuple[Topic, ...] | None, Meta(description="a list of topic URNs")] = None
    releases: Annotated[tuple[KnownRelease, ...], Meta(description="a list of {version, released_at}")] = ()
    projects: Annotated[tuple[PolicyProject, ...], Meta(description="a list of {region, project_id}")] = ()
    api: Annotated[Literal["auto", "v2", "v1.0"], Meta(description="auto, v2 or v1.0")] = "auto"
    rules: Annotated[tuple[Rule, ...], Meta(description="a list of rules")] = ()

    freezes: Any = ()

    @property
    def outlet(self) -> Notify:
        """`notify`, which every accepted policy has."""
        assert self.notify is not UNSET
        return self.notify


_FIELDS_OF = {
    "": Policy,
    "notify": Notify,
    "releases": KnownRelease,
    "projects": PolicyProject,
    "rules": Rule,
    "match": Match,
}
_NOT_YET = ("mode", "min_release_age", "notice", "after", "soak", "max_graphs", "backup", "freezes")


def parse_policy(text: str) -> Policy:
    """The policy in `text`. Raises PolicyError with every problem found."""
    try:
        raw = read(text)
    except UnreadableText as error:
        raise PolicyError([f"the policy is neither YAML nor JSON: {error}"]) from None
    if isinstance(raw, dict) and "notify" in raw and not isinstance(raw["notify"], dict):
        raw["notify"] = {"topic": raw["notify"]}
    policy, problems, rule_numbers = _decode(raw)
    if policy is not None:
        policy = _effective(policy)
        problems += _contradictions(policy, rule_numbers, tuple(problems))
    if policy is None or problems:
        raise PolicyError(problems)
    return policy


def fingerprint(policy: Policy) -> str:
    """The first 12 hex digits of the SHA-256 of the effective policy; its spelling does not matter."""
    canonical = msgspec.json.encode(policy, enc_hook=_plain, order="sorted")
    return hashlib.sha256(canonical).hexdigest()[:12]


def _decode(raw: Any) -> tuple[Policy | None, list[str], list[int]]:
    """The policy less what is wrong with it, the problems, and the numbers that its rules have in what was written."""
    numbered: dict[int, list[int]] = {}
    problems: list[str] = []
    while True:
        try:
            policy = msgspec.convert(raw, Policy, dec_hook=_custom)
            whole = list(range(len(policy.rules)))
            return policy, problems, numbered.get(id(raw.get("rules")), whole)
        except msgspec.ValidationError as error:
            message, _, path = str(error).partition(" - at `$")
            tokens = re.findall(r"[^.\[\]`]+", path)
            unknown = re.match(r"Object contains unknown field `(.*)`", message)
            missing = re.match(r"Object missing required field `(.*)`", message)
            if unknown is not None:
                tokens.append(unknown[1])
            where, found = _remove(raw, tokens, numbered)
            if missing is None or not any(problem.startswith(f"{where}.{missing[1]}:") for problem in problems):
                problems.append(_problem(where, message, found, unknown is not None, missing[1] if missing else None))
            if not tokens:
                return None, problems, []


def _remove(raw: Any, tokens: list[str], numbered: dict[int, list[int]]) -> tuple[str, Any]:
    """Takes what stands at `tokens` out of `raw`; its path in what the operator wrote, and the thing itself."""
    where, parent, value = "", None, raw
    key: Any = None
    for token in tokens:
        parent = value
        if isinstance(parent, list):
            key = int(token)
            where += f"[{numbered.setdefault(id(parent), list(range(len(parent))))[key]}]"
        else:
            key = token
            where += f".{token}" if where else token
        value = parent[key]
    if isinstance(parent, list):
        del numbered[id(parent)][key]
    if parent is not None:
        del parent[key]
    return where, value


def _problem(where: str, message: str, found: Any, unknown: bool, missing: str | None) -> str:
    names = re.findall(r"[a-z_]+", re.sub(r"\[\d+\]", "", where))
    name = names.pop() if names else ""
    if unknown:
        from difflib import get_close_matches

        fields = _FIELDS_OF[names[-1] if names else ""].__struct_fields__
        meant = get_close_matches(name, fields, 1)
        return f"{where}: unknown field; " + (f"did you mean {meant[0]}?" if meant else f"accepted are {', '.join(fields)}")
    if missing:
        return f"{where}: the field {missing} is missing"
    accepted = _description(_FIELDS_OF.get(names[-1] if names else ""), name)
    if message.startswith(("Expected", "Invalid")):
        message = f"expected {accepted}" if accepted else message[0].lower() + message[1:]
    shown = repr(found)
    return f"{where or 'the policy'}: {message}; found {shown if len(shown) <= 80 else shown[:77] + '...'}"


def _description(owner: Any, name: str) -> str | None:
    if owner is None or name not in owner.__struct_fields__:
        return None
    from typing import get_args, get_type_hints

    kinds = [get_type_hints(owner, include_extras=True)[name]]
    for kind in kinds:
        for part in get_args(kind):
            if isinstance(part, Meta) and part.description:
                return part.description
            kinds.append(part)
    return None


def _custom(kind: type, value: Any) -> Any:
    if kind is Window:
        if not isinstance(value, str):
            raise ValueError("expected a window as `Sat,Sun 02:00-06:00 Asia/Shanghai` (rrule is not supported yet)")
        return Window(value)
    if kind is Version:
        if not isinstance(value, str):
            raise ValueError("expected a version in quotes, as '2.4.15'")
        return Version(value)
    if kind in (Duration, Instant):
        return kind.parse(value)
    return kind(value)


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Tags):
        return value.wanted
    for name in ("urn", "text", "key"):
        if hasattr(value, name):
            return getattr(value, name)
    raise TypeError(f"no plain form of {type(value)}")


def _effective(policy: Policy) -> Policy:
    """The policy with the defaults that depend on other fields filled in."""
    rules = []
    for number, rule in enumerate(policy.rules, 1):
        default_cutoff = Duration(minutes=30) if rule.windows else Duration()
        cutoff = default_cutoff if rule.cutoff is None else rule.cutoff
        rules.append(msgspec.structs.replace(rule, name=rule.name or f"rule-{number}", cutoff=cutoff))
    return msgspec.structs.replace(policy, rules=tuple(rules))


def _contradictions(policy: Policy, rule_numbers: list[int], problems: tuple[str, ...]) -> list[str]:
    """What is wrong between fields, each of which may be right by itself."""
    numbered = list(zip(rule_numbers, policy.rules))
    found = list(_unsupported("", policy))
    for number, rule in numbered:
        found += _unsupported(f"rules[{number}].", rule)
    if policy.notify is UNSET and not any(problem.startswith("notify") for problem in problems):
        found.append("notify: missing; expected the URN of the topic that is told what happened")
    if not policy.rules and not any(problem.startswith("rules") for problem in problems):
        found.append("rules: missing or empty; expected at least one rule, as [{windows: [...]}]")
    if policy.notify is not UNSET:
        for number, topic in enumerate(policy.release_topics or ()):
            if topic.urn == policy.notify.topic.urn:
                found.append(f"release_topics[{number}]: is also the topic of notify; results would come back as releases")
    names: set[str] = set()
    for number, rule in numbered:
        if rule.name in names:
            found.append(f"rules[{number}].name: {rule.name!r} is the name of an earlier rule")
        names.add(rule.name)
        cutoff = rule.cutoff or ZERO
        if rule.windows and first_start(rule.windows, cutoff, datetime(2026, 1, 1, tzinfo=timezone.utc)) is None:
            found.append(f"rules[{number}].cutoff: {cutoff} is as long as the windows; nothing could ever start")
    return found


def _unsupported(prefix: str, owner: Policy | Rule) -> Iterator[str]:
    defaults = dict(zip(reversed(owner.__struct_fields__), reversed(owner.__struct_defaults__)))
    for name in _NOT_YET:
        if name in defaults:
            value, default = getattr(owner, name), defaults[name]
            nothing = isinstance(value, str) and default == "0d" and re.fullmatch(r"0+[smhdw]", value)
            if value != default and not nothing and (value or default):
                yield f"{prefix}{name}: not supported yet; found {value!r}, accepted is only its default"
