"""Cold start of the unpacked zip, from the start of the process to a handler that is ready, beside what it is compared with.

Ready: `index` is imported and `index.initializer` has read the policy. With bytecode, as on a second start from a
writable folder, and without, as FunctionGraph runs it from a folder that it may not write to. Every round runs each
subject once, so that a slow moment of the machine meets them all; medians are compared within one mode only.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
ROUNDS = 15
BUDGET = 1.5  # times `import requests`
POLICY = 'notify: "urn:smn:cn-north-4:abc:t"\nstate: obs://bucket/x\nrules: [{windows: ["Sun 02:00-06:00 Asia/Shanghai"]}]'


class Subject(NamedTuple):
    name: str
    code: str


READY = Subject("the function", "import index; index.initializer(None)")
YARDSTICK = Subject("import requests", "import requests")
SUBJECTS = (
    Subject("bare Python", "pass"),
    YARDSTICK,
    READY,
    Subject(
        "official SDK, GES and SMN",
        "from huaweicloudsdkges.v2 import GesClient; from huaweicloudsdksmn.v2 import SmnClient",
    ),
)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(ROOT / "dist" / "function.zip") as archive:
        archive.extractall(folder)
        results = {mode: measure(folder, mode) for mode in ("with bytecode", "without bytecode")}
    worst = 0.0
    for mode, figures in results.items():
        wall, cpu = figures[YARDSTICK]
        print(f"\n{mode}, medians of {ROUNDS}, Python {sys.version.split()[0]}")
        print(f"{'':<28}{'wall ms':>9}{'CPU ms':>9}{'wall':>8}{'CPU':>8}  of import requests")
        for subject, (own_wall, own_cpu) in figures.items():
            print(f"{subject.name:<28}{own_wall:>9.0f}{own_cpu:>9.0f}{own_wall / wall:>8.2f}{own_cpu / cpu:>8.2f}")
        worst = max(worst, figures[READY][0] / wall)
    print(f"\nthe function: {worst:.2f} x import requests at worst; the budget is {BUDGET}")
    return 0 if worst <= BUDGET else 1


def measure(folder: str, mode: str) -> dict[Subject, tuple[float, float]]:
    """Median wall and CPU milliseconds of each subject."""
    times: dict[Subject, list[tuple[float, float]]] = {subject: [] for subject in SUBJECTS}
    with tempfile.TemporaryDirectory() as cache:
        for number in range(ROUNDS + 1):
            for subject in SUBJECTS:
                spent = once(subject, folder, cache, mode == "with bytecode")
                if number:
                    times[subject].append(spent)
    return {
        subject: (statistics.median(wall for wall, _ in spent), statistics.median(cpu for _, cpu in spent))
        for subject, spent in times.items()
    }


def once(subject: Subject, folder: str, cache: str, bytecode: bool) -> tuple[float, float]:
    environment = {"PATH": os.environ["PATH"], "HOME": cache, "POLICY": POLICY, "PYTHONHASHSEED": "0"}
    environment["PYTHONPATH"] = folder if subject in (READY, YARDSTICK) else ""
    environment["PYTHONPYCACHEPREFIX"] = cache if bytecode else os.path.join(cache, "never")
    if not bytecode:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", subject.code], env=environment, check=True)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall * 1000, cpu * 1000


if __name__ == "__main__":
    sys.exit(main())
