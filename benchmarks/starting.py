"""What it costs to start a whole fleet that is due: CPU of the function alone, without the simulated cloud's.

python -m benchmarks.starting
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import process_time
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "function"))

from huaweicloud_simulator import Cloud, mock_huaweicloud  # noqa: E402
from tests.builders import policy_text  # noqa: E402
from tests.journeys.runs import Context, World, release  # noqa: E402

SIZES = (500, 1000, 2000, 4000)
BUDGET, EXPONENT = 3e-3, 1.1


def main() -> int:
    costs = {size: cost(size) for size in SIZES}
    for size, seconds in costs.items():
        print(f"  {size:,} graphs due: {seconds:.2f} s of CPU, {seconds / size * 1e3:.2f} ms an upgrade")
    exponent = math.log(costs[SIZES[-1]] / costs[SIZES[0]]) / math.log(SIZES[-1] / SIZES[0])
    print(f"  exponent from {SIZES[0]:,} to {SIZES[-1]:,}: {exponent:.2f} (budget {EXPONENT})")
    return int(costs[2000] / 2000 > BUDGET or exponent > EXPONENT)


def cost(graphs: int) -> float:
    """Seconds of CPU of one run that starts as many upgrades."""
    rules = f"[{{max_concurrent: {graphs}, max_failures: {graphs}}}]"
    world = World(policy_text(rules, state="obs://state/ges"))
    for number in range(graphs):
        world.graph(f"graph_{number}")
    variables = {"POLICY": world.policy, "LOG_LEVEL": "ERROR"}
    end = world.clock.now() + timedelta(seconds=5)  # enough, as only sleeping takes time on this clock
    context = Context(variables, lambda: end - world.clock.now())
    with mock_huaweicloud(world.cloud), cloud_time() as spent:
        began = process_time()
        world.instance.invoke(release("2.4.15"), context)
        took = process_time() - began - spent[0]
    assert len(world.cloud.upgrades) == graphs
    return took


@contextmanager
def cloud_time() -> Iterator[list[float]]:
    """The CPU that the simulated cloud takes meanwhile."""
    spent, handle = [0.0], Cloud.handle

    def timed(self: Cloud, request: Any) -> Any:
        began = process_time()
        try:
            return handle(self, request)
        finally:
            spent[0] += process_time() - began

    Cloud.handle = timed  # type: ignore[method-assign]
    try:
        yield spent
    finally:
        Cloud.handle = handle  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.exit(main())
