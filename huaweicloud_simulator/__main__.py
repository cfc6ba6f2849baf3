"""`python -m huaweicloud_simulator [--port N] [--virtual-clock]`: the simulated cloud with a small fleet, as a server."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone

from .clock import VirtualClock
from .cloud import ACCESS_KEY, SECRET_KEY
from .demo import PROJECT_ID, REGION, demo_cloud
from .server import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m huaweicloud_simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--virtual-clock", action="store_true", help="time moves only by the control API")
    given = parser.parse_args()
    clock = VirtualClock(datetime.now(timezone.utc)) if given.virtual_clock else None
    with serve(demo_cloud(clock), given.port) as server:
        print(f"A simulated Huawei Cloud at {server.url}: region {REGION}, project {PROJECT_ID}. To reach it:\n")
        for name, value in {
            **server.environment(REGION),
            "HUAWEICLOUD_SDK_AK": ACCESS_KEY,
            "HUAWEICLOUD_SDK_SK": SECRET_KEY,
            "HUAWEICLOUD_SDK_PROJECT_ID": PROJECT_ID,
        }.items():
            print(f"export {name}={value}")
        print("\nCtrl-C ends it.", flush=True)
        try:
            server.wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
