"""`ges-upgrader simulator`: the simulated cloud as a server, for any client."""

from __future__ import annotations

import socket
from datetime import datetime, timezone
from typing import Annotated

import typer

from ges_upgrader_cli.shown.console import fail
from ges_upgrader_cli.shown.options import FleetPath, load_fleet


def simulator(
    fleet: FleetPath = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free port.")] = 8080,
    virtual_clock: Annotated[bool, typer.Option("--virtual-clock", help="Time moves only by the control API.")] = False,
) -> None:
    """Serve the simulated cloud on this machine, with the demo's fleet or one from a file. Ctrl-C ends it."""
    from ges_upgrader_cli.fleets.simulated import populate
    from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, VirtualClock, demo, serve

    cloud = Cloud(VirtualClock(datetime.now(timezone.utc)) if virtual_clock else None)
    home = demo.PROJECT_ID, demo.REGION
    if fleet is None:
        demo.add_fleet(cloud)
    else:
        from ges_upgrader.domain.model import Project

        cloud.project(demo.REGION, demo.PROJECT_ID)
        populate(cloud, load_fleet(fleet), Project(demo.REGION, demo.PROJECT_ID))
    try:
        socket.create_server(("127.0.0.1", port)).close()  # werkzeug would end the process with words of its own
        server = serve(cloud, port)
    except OSError as error:
        fail(f"port {port} cannot be used: {error.strerror}; choose another with --port")
    with server:
        typer.echo(f"A simulated Huawei Cloud at {server.url}: region {home[1]}, project {home[0]}. To reach it:\n")
        for name, value in {
            **server.environment(demo.REGION),
            "HUAWEICLOUD_SDK_AK": ACCESS_KEY,
            "HUAWEICLOUD_SDK_SK": SECRET_KEY,
            "HUAWEICLOUD_SDK_PROJECT_ID": demo.PROJECT_ID,
        }.items():
            typer.echo(f"export {name}={value}")
        typer.echo("\nCtrl-C ends it.")
        try:
            server.wait()
        except KeyboardInterrupt:
            typer.echo("")
