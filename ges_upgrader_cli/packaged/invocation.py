"""The packaged function, invoked as FunctionGraph does: unpacked, in a Python of its own with nothing else on its path."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ges_upgrader_cli.packaged.files import IS_CHECKOUT, own, requirements
from ges_upgrader_cli.packaged.zip import TARGET, WHEELS, package

_RESULT = "RESULT "
_INVOKE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import index

class Context:
    def getRequestID(self): return "7c307f6a-cf68-4e65-8be0-4c77405a1b2c"
    def getFunctionName(self): return "ges-upgrader"
    def getProjectID(self): return sys.argv[3]
    def getRemainingTimeInMilliSeconds(self): return int(sys.argv[4])

index.initializer(Context())
result = index.handler(json.load(open(sys.argv[2], encoding="utf-8")), Context())
print("RESULT " + json.dumps(result), flush=True)
"""


class InvocationError(Exception):
    """The function ended without a result."""


def packaged() -> Path:
    """The zip: that of `make package`, or one that is built once for the installed version. Raises PackageError."""
    if IS_CHECKOUT and TARGET.exists():
        return TARGET
    content = hashlib.sha256(requirements().encode() + b"".join(own().values())).hexdigest()[:12]
    target = TARGET if IS_CHECKOUT else WHEELS.parent / f"function-{content}.zip"
    if not target.exists():
        package(target)
    return target


def invoke(
    function: Path, event: Any, project_id: str, variables: Mapping[str, str], heard: Callable[[str], None], seconds: int = 120
) -> dict[str, Any]:
    """The handler's result. `heard` gets each line of the log as it comes. Raises InvocationError."""
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(function) as archive:
            archive.extractall(Path(folder) / "code")
        given = Path(folder) / "event.json"
        given.write_text(json.dumps(event), encoding="utf-8")
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": folder, **variables}
        arguments = [str(Path(folder) / "code"), str(given), project_id, str(seconds * 1000)]
        command = [sys.executable, "-S", "-B", "-c", _INVOKE, *arguments]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
            assert process.stdout
            result = None
            for line in process.stdout:
                if line.startswith(_RESULT):
                    result = dict(json.loads(line[len(_RESULT) :]))
                else:
                    heard(line.rstrip("\n"))
        if result is None:
            raise InvocationError(f"the function ended with exit status {process.returncode} and gave no result")
        return result
