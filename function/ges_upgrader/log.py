"""Logging: structlog, one JSON line an event, its context bound once a run, as Powertools does it for Lambda."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger, Processor

    Log = FilteringBoundLogger


def start_log(level: str, secrets: Iterable[str], context: Mapping[str, Any]) -> Log:
    """A logger for one run, with `context` in every line and `secrets` in none. structlog comes with the first event."""
    import structlog

    number = logging.getLevelName(level.strip().upper())
    processors: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
        _without(tuple(secrets)),
        structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
    ]
    log: Log = structlog.wrap_logger(
        structlog.PrintLogger(sys.stdout),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(number if isinstance(number, int) else logging.INFO),
        context_class=dict,
    )
    return log.bind(**{name: value for name, value in context.items() if value is not None})


def _without(secrets: tuple[str, ...]) -> Processor:
    def clean(value: Any) -> Any:
        if isinstance(value, str):
            for secret in secrets:
                value = value.replace(secret, "***")
            return value
        if isinstance(value, Mapping):
            return {key: clean(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [clean(item) for item in value]
        return value

    def processor(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: clean(value) for key, value in event.items()}

    return processor
