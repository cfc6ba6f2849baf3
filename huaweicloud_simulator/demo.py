"""A small fleet to look at."""

from __future__ import annotations

from datetime import timedelta

from .clock import Clock
from .cloud import Cloud

REGION, PROJECT_ID = "cn-north-4", "0123456789abcdef0123456789abcdef"


def demo_cloud(clock: Clock | None = None, upgrade_duration: timedelta = timedelta(seconds=6)) -> Cloud:
    cloud = Cloud(clock)
    cloud.upgrade_duration = upgrade_duration
    cloud.release("2.4.9", "2.4.15")
    project = cloud.project(REGION, PROJECT_ID)
    project.topic("ges-upgrades")
    project.topic("ges-releases")
    project.graph("dev_movies", version="2.4.4", tags={"env": "dev"})
    project.graph("dev_social", version="2.4.9", tags={"env": "dev"}).next_upgrade("failed")
    project.graph("orders", version="2.4.9", tags={"env": "prod"})
    project.graph("fraud", version="2.4.15", tags={"env": "prod"})
    project.graph("archive", version="2.3.18", status="900", tags={"env": "prod"})
    project.graph("pinned", version="2.4.4", tags={"env": "prod", "ges-upgrader": "off"})
    project.graph("scratch", version="2.4.4")
    return cloud
