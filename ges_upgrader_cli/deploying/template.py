"""`template.yaml`, the one description of a deployment, read with all of its errors and their places. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
import yaml
from msgspec import Meta

from ges_upgrader.policy.decoding import Strict, decode
from ges_upgrader_cli.checking.places import Place, Source

_NAME = r"^[A-Za-z][A-Za-z0-9_-]{0,58}[A-Za-z0-9]$"
_CRON = re.compile(r"CRON_TZ=[A-Za-z_]+(/[A-Za-z_+-]+)* (\S+ ){5}\S+")
MOST_VARIABLES, MOST_CHARACTERS = 20, 4096  # of all variables together

Name = Annotated[str, Meta(pattern=_NAME)]
Retries = Annotated[int, Meta(ge=0, le=3)]
Seconds = Annotated[int, Meta(ge=1, le=86400)]


class Parameters(Strict, frozen=True, kw_only=True):
    """What differs between accounts."""

    region: Annotated[str, Meta(pattern=r"^[a-z]+(-[a-z0-9]+)+$")] = "cn-north-4"
    bucket: Annotated[str, Meta(pattern=r"^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$")] = ""
    prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$")] = "ges-upgrader"
    policy: str = "policy.yaml"
    operators: tuple[Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = ()
    alarm_user: str = ""


class Retrying(Strict, frozen=True, kw_only=True):
    attempts: Retries = 2
    maximum_age: Seconds = 3600
    failure_topic: Name


class Function(Strict, frozen=True, kw_only=True):
    name: Name
    description: Annotated[str, Meta(max_length=512)] = ""
    runtime: Literal["Python3.10", "Python3.12"]
    memory: Literal[128, 256, 512, 768, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096]
    timeout: Annotated[int, Meta(ge=3, le=259200)]
    handler: str = "index.handler"
    initializer: str = "index.initializer"
    initializer_timeout: Annotated[int, Meta(ge=1, le=300)]
    instances: Annotated[int, Meta(ge=1, le=1000)] = 1
    agency: Name
    environment: dict[str, str] = msgspec.field(default_factory=dict)
    asynchronous: Retrying


class Timer(Strict, frozen=True, kw_only=True):
    name: Name
    schedule: str
    event: str = ""


class Topics(Strict, frozen=True, kw_only=True):
    releases: Name
    results: Name


class Logs(Strict, frozen=True, kw_only=True):
    group: Name
    days: Annotated[int, Meta(ge=1, le=365)]


class Alarm(Strict, frozen=True, kw_only=True):
    """A line of the log with the keyword raises it."""

    name: Name
    keyword: Annotated[str, Meta(min_length=1, max_length=1024)]
    level: Literal["INFO", "MINOR", "MAJOR", "CRITICAL"]
    minutes: Annotated[int, Meta(ge=1, le=60)]


class Template(Strict, frozen=True, kw_only=True):
    version: Literal[1]
    parameters: Parameters
    function: Function
    timers: Annotated[list[Timer], Meta(min_length=1, max_length=9)]
    topics: Topics
    logs: Logs
    alarms: tuple[Alarm, ...] = ()


class Problem(msgspec.Struct, frozen=True):
    path: str
    text: str
    place: Place | None

    def __str__(self) -> str:
        where = f"line {self.place.line}, column {self.place.column}: " if self.place else ""
        return f"{where}{self.path}: {self.text}"


class TemplateError(Exception):
    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def read_template(text: str, is_filled_in: bool = True) -> Template:
    """The template. With `is_filled_in`, every parameter must have a value. Raises TemplateError with all problems."""
    source = Source(text)
    template, problems = _decoded(text)
    if template is not None:
        problems += _contradictions(template, is_filled_in)
    if template is None or problems:
        raise TemplateError([Problem(path, words, _place(source, path, words)) for path, words in problems])
    return template


def _place(source: Source, path: str, words: str) -> Place:
    return source.at(path, words) or source.broken or source.line(1)


def _decoded(text: str) -> tuple[Template | None, list[tuple[str, str]]]:
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return None, [("the template", f"is no YAML: {error}")]
    if not isinstance(raw, dict):
        return None, [("the template", "expected fields such as `version: 1`")]
    written = {f"the policy: the field {name} is missing" for name in raw}  # which is not so: it holds another error
    template, found, _ = decode(raw, Template)
    return template, [_split(problem) for problem in found if problem not in written]


def _split(problem: str) -> tuple[str, str]:
    path, _, text = problem.partition(": ")
    return ("the template" if path == "the policy" else path), text


def _contradictions(template: Template, is_filled_in: bool) -> Iterator[tuple[str, str]]:
    function = template.function
    if is_filled_in and not template.parameters.bucket:
        yield (
            "parameters.bucket",
            "has no value; write the name of the bucket for the state, as bucket: my-company-ges-upgrader",
        )
    if function.asynchronous.failure_topic == template.topics.releases:
        way_out = f"write {template.topics.results}"
        yield (
            "function.asynchronous.failure_topic",
            f"the function listens to this topic, so each failure would invoke it again; {way_out}",
        )
    if template.topics.releases == template.topics.results:
        yield "topics.results", "the function listens to this topic, so each result would invoke it again; write another name"
    for number, timer in enumerate(template.timers):
        if not _CRON.fullmatch(timer.schedule):
            example = "CRON_TZ=Asia/Shanghai 0 7 * * * ?"
            yield f"timers[{number}].schedule", f"expected six fields of Cron after their zone, as {example}"
    yield from _environment(function.environment)


def _environment(variables: dict[str, str]) -> Iterator[tuple[str, str]]:
    path = "function.environment"
    for name in variables:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name.startswith("RUNTIME_"):
            yield f"{path}.{name}", "expected a name of letters, digits and _ that does not begin with RUNTIME_"
        elif re.search(r"(?i)(_SK|_AK|SECRET|PASSWORD|TOKEN)$", name):
            yield f"{path}.{name}", "a template holds no secret; the function takes its credentials from its agency"
    if len(variables) > MOST_VARIABLES - 2:  # POLICY and REGION are set as well
        yield path, f"has {len(variables)} variables; FunctionGraph takes {MOST_VARIABLES}, with POLICY and REGION"
    size = len(json.dumps(variables, ensure_ascii=False))
    if size > MOST_CHARACTERS:
        yield (
            path,
            f"has {size:,} characters; FunctionGraph takes {MOST_CHARACTERS:,}. Put a long policy into an object: POLICY_FILE: obs://…",
        )


def schema() -> dict[str, Any]:
    """The JSON Schema of the template, for editors."""
    return msgspec.json.schema(Template)
