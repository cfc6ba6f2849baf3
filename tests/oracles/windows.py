"""`make windows`: every change of the clocks in every zone, under every window, minute by minute."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from importlib.metadata import version
from multiprocessing import Pool

from .comparison import COMPARED, compared, looked_at
from .transitions import FIRST, LAST, Change, behaviours
from .window_cases import cases

STEP = timedelta(hours=6)


def main() -> int:
    began = time.monotonic()
    found = behaviours(STEP)
    # Zones that behave alike take turns.
    tasks = [
        (behaviour.zones[index % len(behaviour.zones)], change)
        for behaviour in found
        for index, change in enumerate(looked_at(behaviour))
    ]
    changing = sum(bool(behaviour.changes) for behaviour in found)
    print(f"tzdata {version('tzdata')}, {FIRST:%Y-%m-%d} to {LAST:%Y-%m-%d}")
    print(
        f"{sum(len(behaviour.zones) for behaviour in found)} zones, {len(found)} that differ, {changing} of them with changes"
    )
    print(f"{sum(len(behaviour.changes) for behaviour in found)} changes of the clocks", flush=True)

    looked, minutes = 0, 0
    disagreements: list[str] = []
    with Pool() as pool:
        for done, (number, wrong) in enumerate(pool.imap_unordered(_task, tasks), 1):
            looked += number
            minutes += number * COMPARED
            disagreements += wrong
            if done * 10 // len(tasks) > (done - 1) * 10 // len(tasks):
                print(f"  {done * 100 // len(tasks)}% after {time.monotonic() - began:.0f} s", flush=True)

    print(f"{looked} windows and unions of windows, {minutes} minutes compared in {time.monotonic() - began:.0f} s")
    print(f"{len(disagreements)} disagreements")
    for one in disagreements:
        print(f"  {one}")
    return 1 if disagreements else 0


def _task(task: tuple[str, Change]) -> tuple[int, Sequence[str]]:
    zone, change = task
    every = cases(zone, change)
    return len(every), compared(change, every)


if __name__ == "__main__":
    sys.exit(main())
