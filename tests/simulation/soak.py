"""`make soak`: fleet-months by the seed, as many as wanted, on all cores. A seed that fails is printed, and replays exactly.

make soak SEEDS=10000
make soak FIRST=123 SEEDS=1 TRACE=1
"""

from __future__ import annotations

import os
import sys
import time
from multiprocessing import get_context

from tests.simulation.bad_days import SOUGHT
from tests.simulation.defects import DEFECTS, search
from tests.simulation.world import Tally, World


def live(seed: int) -> Tally:
    return World(seed).live()


def main() -> int:
    first, seeds = int(os.environ.get("FIRST", "1")), int(os.environ.get("SEEDS", "200"))
    if os.environ.get("DEFECTS"):
        with get_context("fork").Pool() as pool:
            names = [*DEFECTS, *SOUGHT]
            for name, (seed, violation) in zip(names, pool.imap(search, names)):
                print(f'    "{name}": {seed},  # {violation}', flush=True)
        return 0
    if os.environ.get("TRACE"):
        tally = World(first, trace=True).live()
        print(tally)
        return int(tally.violation is not None)
    began = time.perf_counter()
    tallies = []
    cores = os.cpu_count() or 1
    with get_context("fork").Pool(cores) as pool:
        for number, tally in enumerate(pool.imap_unordered(live, range(first, first + seeds), chunksize=4), 1):
            tallies.append(tally)
            if tally.violation:
                print(f"seed {tally.seed}: {tally.violation}\n  make soak FIRST={tally.seed} SEEDS=1 TRACE=1", flush=True)
            if number % max(1, seeds // 10) == 0:
                print(f"  {number} of {seeds} after {time.perf_counter() - began:.0f} s", flush=True)
    print(report(tallies, time.perf_counter() - began, cores))
    return int(any(tally.violation for tally in tallies))


def report(tallies: list[Tally], seconds: float, cores: int) -> str:
    days, jobs = sum(tally.days for tally in tallies), sum(tally.jobs for tally in tallies)
    lines = [
        f"{len(tallies)} fleet-months, {days:.0f} days, {sum(one.runs for one in tallies)} runs, "
        f"{sum(one.requests for one in tallies)} requests, {jobs} upgrades, {sum(one.kills for one in tallies)} kills, "
        f"{sum(one.conflicts for one in tallies)} conflicts",
        f"{sum(one.violation is not None for one in tallies)} violations",
        f"{days / seconds / cores:.0f} days a second and core; a million days on {cores}: {1e6 * seconds / days / 60:.0f} min",
    ]
    for kills in (False, True):
        for failing in (False, True):
            some = [one for one in tallies if one.killing == kills and one.failing == failing]
            upgrades, told, again = (sum(getattr(one, name) for one in some) for name in ("troubled", "told", "repeats"))
            words = f"kills {'2%' if kills else 'none'}, other faults {'some' if failing else 'none'}"
            each = f"{again / max(upgrades, 1):.4f} an upgrade, {again / max(told, 1):.4f} a result"
            lines.append(f"{words}: {upgrades} upgrades begun meanwhile, {told} results, {again} told again: {each}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
