"""`make run`: the packaged function, invoked as FunctionGraph would, against a simulated cloud; and what happened.

The zip is unpacked and run by a Python of its own with nothing else on its path. What it logs is shown as it comes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, serve
from huaweicloud_simulator.demo import demo_cloud

ROOT = Path(__file__).parent.parent
PROJECT_ID = "0123456789abcdef0123456789abcdef"
POLICY = f"""\
version: 1
notify: urn:smn:cn-north-4:{PROJECT_ID}:ges-upgrades
release_topics: [urn:smn:cn-north-4:{PROJECT_ID}:ges-releases]
releases: [{{version: 2.4.9}}]
rules:
  - name: dev
    match: {{tags: {{env: dev}}}}
    max_concurrent: 2
    max_failures: 2
  - name: staging
    match: {{tags: {{env: staging}}}}
  - name: prod
    match: {{tags: {{env: prod}}}}
    versions: ">=2.4.4,<3"
    windows: ["{{window}}"]
"""

_INVOKE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import index

class Context:
    def getRequestID(self): return "7c307f6a-cf68-4e65-8be0-4c77405a1b2c"
    def getFunctionName(self): return "ges-upgrader"
    def getProjectID(self): return sys.argv[3]
    def getRemainingTimeInMilliSeconds(self): return 120000

index.initializer(Context())
result = index.handler(json.load(open(sys.argv[2], encoding="utf-8")), Context())
print("RESULT " + json.dumps(result), flush=True)
"""


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m ges_upgrader_cli.local EVENT.json", file=sys.stderr)
        return 2
    event = Path(arguments[0]).resolve()
    cloud = demo_cloud(upgrade_duration=timedelta(seconds=6))
    with serve(cloud) as server, tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(ROOT / "dist" / "function.zip") as archive:
            archive.extractall(folder)
        print(_bold(f"Event  {event.name}") + "  → the packaged function, on a simulated cloud\n")
        result = _invoke(folder, event, server.environment("cn-north-4"))
        if result is None:
            return 1
        _show(result, cloud)
    return 0


def _invoke(folder: str, event: Path, endpoints: Mapping[str, str]) -> dict[str, Any] | None:
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": folder,
        "POLICY": POLICY.replace("{window}", "* 00:00-24:00 UTC"),
        "HUAWEICLOUD_SDK_AK": ACCESS_KEY,
        "HUAWEICLOUD_SDK_SK": SECRET_KEY,
        **endpoints,
    }
    command = [sys.executable, "-S", "-B", "-c", _INVOKE, folder, str(event), PROJECT_ID]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("RESULT "):
                return dict(json.loads(line[len("RESULT ") :]))
            _progress(line)
    print(f"the function ended with exit status {process.returncode} and gave no result", file=sys.stderr)
    return None


def _progress(line: str) -> None:
    """One line for each log event that a person would want to see while waiting."""
    try:
        entry = json.loads(line)
    except ValueError:
        print(line, end="")
        return
    time, graph = entry.get("time", "")[11:19], entry.get("graph", "")
    texts = {
        "run.started": f"run {entry.get('run_id', '')[:8]} began: {entry.get('command')}",
        "release.learned": f"learned of release {entry.get('version')}",
        "upgrade.started": f"{graph}: upgrade to {entry.get('to')} started",
        "upgrade.refused": f"{graph}: refused: {entry.get('detail')}",
        "job.seen": f"{graph}: job {entry.get('status')}",
        "upgrade.ended": f"{graph}: {entry.get('outcome')}",
        "notification.sent": f"told: {entry.get('event_id')}",
        "error.reported": f"error: {entry.get('error')}",
        "run.crashed": f"error: {entry.get('exception')}",
    }
    if entry.get("event") == "fleet.observed":
        print(f"  {time}  looked at {entry.get('graphs')} graphs", flush=True)
    elif entry.get("event") in texts:
        print(f"  {time}  {texts[entry['event']]}", flush=True)


def _show(result: Mapping[str, Any], cloud: Cloud) -> None:
    print("\n" + _bold("Decisions"))
    for one in sorted(result["decisions"], key=lambda one: one["graph"]):
        step = f"{one['from_version']} → {one['target']}" if one["target"] else one["from_version"]
        until = f"  until {one['until']}" if one["until"] else ""
        print(f"  {one['graph']:<16} {one['rule'] or '-':<8} {step:<18} {one['action']:<8} {one['reason']}{until}")
    if result["outcomes"]:
        print("\n" + _bold("Outcomes"))
    for one in result["outcomes"]:
        detail = f"  ({one['detail']})" if one["detail"] else ""
        print(f"  {one['graph_id']}  {one['from_version']} → {one['to_version']}  {one['outcome']}{detail}")
    for one in result.get("forecast", []):
        print(f"  {one['at']}  {one['graph']:<16} {one['from_version']} → {one['to_version']}  by {one['rule']}")
    for heading in ("pending", "warnings", "errors"):
        if result.get(heading):
            print("\n" + _bold(heading.capitalize()))
        for entry in result.get(heading, []):
            print(f"  {entry}")
    for message in cloud.project("cn-north-4", PROJECT_ID).topic("ges-upgrades").messages:
        print("\n" + _bold(f"Message  {message.subject}"))
        for line in (message.structure or {}).get("email", message.message or "").splitlines():
            print(f"  │ {line}")
    print(f"\nPolicy {result['policy']}, {result['notified']} told, {len(result['errors'])} errors.")


def _bold(text: str) -> str:
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
