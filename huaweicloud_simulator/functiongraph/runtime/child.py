"""The program in which a function runs: one process is one instance. It needs nothing but the standard library.

Each line on stdin is an invocation; each line on the first stdout answers it, or asks to sleep. What the function prints goes
to the file of the log. If the cloud's clock is virtual, time moves here as it does there: `datetime.now`, `time.time` and
`time.sleep` follow it. `time.monotonic` does not, because sockets wait in real time.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import sys
import threading
import time
import traceback
from datetime import datetime, timezone
from typing import Any, TextIO


class Clock:
    """The cloud's clock. `at` is None if it is the machine's."""

    def __init__(self, channel: TextIO) -> None:
        self.at: float | None = None
        self._channel, self._lock, self._sleep, self._time = channel, threading.Lock(), time.sleep, time.time

    def now(self) -> float:
        return self._time() if self.at is None else self.at

    def sleep(self, seconds: float) -> None:
        if self.at is None:
            self._sleep(seconds)
            return
        with self._lock:
            print(json.dumps({"sleep": seconds}), file=self._channel, flush=True)
            self.at = json.loads(sys.stdin.readline())["now"]

    def rule(self) -> None:
        """Makes the process see this clock. The class of dates is not Python's own to assign to, so its table is changed."""
        from_timestamp = datetime.fromtimestamp

        def now(cls: type[datetime], tz: Any = None) -> datetime:
            return from_timestamp(self.now(), tz)

        def utcnow(cls: type[datetime]) -> datetime:
            return from_timestamp(self.now(), timezone.utc).replace(tzinfo=None)

        table = gc.get_referents(datetime.__dict__)[0]
        table["now"], table["utcnow"] = classmethod(now), classmethod(utcnow)
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime))
        time.time, time.sleep = self.now, self.sleep  # type: ignore[assignment]
        time.time_ns = lambda: int(self.now() * 1_000_000_000)


class Context:
    """What FunctionGraph hands to the handler (functiongraph.md, context)."""

    def __init__(self, given: dict[str, Any], clock: Clock) -> None:
        self._given, self._clock, self._begin = given, clock, clock.now()
        for name, value in given["answers"].items():
            setattr(self, name, lambda value=value: value)

    def getRemainingTimeInMilliSeconds(self) -> int:
        return int((self._given["timeout"] - (self._clock.now() - self._begin)) * 1000)

    def getUserData(self, name: str) -> str | None:
        value = self._given["variables"].get(name)
        return None if value is None else str(value)

    def getLogger(self) -> Context:
        return self

    def info(self, text: object) -> None:
        print(text, flush=True)


def entry(name: str) -> Any:
    module, _, function = name.rpartition(".")
    return getattr(importlib.import_module(module.replace("/", ".")), function)


def answer(given: dict[str, Any], clock: Clock, initialized: list[str]) -> dict[str, Any]:
    context, initializer = Context(given, clock), given["initializer"]
    try:
        if initializer not in initialized:
            entry(initializer)(context)
            initialized.append(initializer)
        return {"result": json.loads(json.dumps(entry(given["handler"])(given["event"], context)))}
    except BaseException as error:
        traceback.print_exc(file=sys.stdout)
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    clock, initialized = Clock(channel), [""]
    for line in iter(sys.stdin.readline, ""):
        given = json.loads(line)
        if given["now"] is not None:
            if clock.at is None:
                clock.rule()
            clock.at = given["now"]
        answered = answer(given, clock, initialized)
        sys.stdout.flush()
        print(json.dumps(answered), file=channel, flush=True)


if __name__ == "__main__":
    sys.path[0] = sys.argv[2]  # instead of the folder of this file
    main()
