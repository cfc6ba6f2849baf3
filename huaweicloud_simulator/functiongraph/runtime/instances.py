"""Instances of a function: processes of their own, in which its zip is unpacked. An instance serves many invocations."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import FunctionError

_CHILD = Path(__file__).with_name("child.py")
Sleep = Callable[[float], float]  # moves the cloud's clock, and returns where it is


class Instance:
    """`environment` are the variables of the process."""

    def __init__(self, code: bytes, environment: Mapping[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="function-", ignore_cleanup_errors=True)
        place = Path(self._folder.name)
        try:
            with zipfile.ZipFile(io.BytesIO(code)) as archive:
                archive.extractall(place / "code")
        except zipfile.BadZipFile:
            self._folder.cleanup()
            raise FunctionError("the code is empty or no zip") from None
        self._log = place / "log"
        self._log.touch()
        self._read = 0
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-B", str(_CHILD), str(self._log), str(place / "code")],
            env={"PATH": os.environ.get("PATH", ""), "HOME": self._folder.name, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def invoke(self, given: Mapping[str, Any], seconds: float, sleep: Sleep) -> tuple[Any, str]:
        """The handler's result and the log. Raises FunctionError, also after so many seconds."""
        killer = threading.Timer(seconds, self._process.kill)
        killer.start()
        try:
            answer = self._exchange(given, sleep)
        finally:
            killer.cancel()
        log = self._new_log()
        if answer is None:
            raise FunctionError(f"the function was killed, or ended by itself, within its timeout of {seconds:g} s", log)
        if "error" in answer:
            raise FunctionError(answer["error"], log)
        return answer["result"], log

    def _exchange(self, given: Mapping[str, Any], sleep: Sleep) -> dict[str, Any] | None:
        """The answer; None if the process ended."""
        assert self._process.stdin and self._process.stdout
        message: Mapping[str, Any] = given
        while True:
            try:
                self._process.stdin.write(json.dumps(message) + "\n")
                self._process.stdin.flush()
            except OSError:
                return None
            line = self._process.stdout.readline()
            if not line:
                return None
            answer = dict(json.loads(line))
            if "sleep" not in answer:
                return answer
            try:
                message = {"now": sleep(answer["sleep"])}
            except TimeoutError:
                self._process.kill()
                return None

    def _new_log(self) -> str:
        try:
            text = self._log.read_text(encoding="utf-8", errors="replace")
        except OSError:  # the server stopped, and the folder is gone
            return ""
        new, self._read = text[self._read :], len(text)
        return new

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()
