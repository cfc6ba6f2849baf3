"""A small fleet for demonstrations: a canary, staging and production in one project, and graphs that stay as they are.

It is meant for this story: release 2.4.15 is announced. `dev_movies` upgrades; `dev_social` fails, rolls back, and succeeds
when it is retried. `staging_orders` waits for the soak, `orders` for its window and an approval.

On a virtual clock weeks pass in seconds: `demo_cloud(VirtualClock(BEGIN), upgrade_duration=timedelta(minutes=12))`.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from .clock import Clock
from .cloud import Cloud
from .projects import Project

REGION, PROJECT_ID = "cn-north-4", "0123456789abcdef0123456789abcdef"
BUCKET = "ges-upgrader"  # for the journal
NOTIFY_TOPIC = f"urn:smn:{REGION}:{PROJECT_ID}:ges-upgrades"
RELEASES_TOPIC = f"urn:smn:{REGION}:{PROJECT_ID}:ges-releases"
VERSION = "2.4.15"
BEGIN = datetime(2026, 11, 23, 2, tzinfo=timezone.utc)  # a Monday, 10:00 in Shanghai


def demo_cloud(clock: Clock | None = None, upgrade_duration: timedelta = timedelta(seconds=6)) -> Cloud:
    """A cloud with the fleet. The default duration suits the machine's clock."""
    cloud = Cloud(clock)
    cloud.upgrade_duration = upgrade_duration
    add_fleet(cloud)
    return cloud


def add_fleet(cloud: Cloud) -> Project:
    """Adds the fleet, its topics and a bucket for the journal to a cloud."""
    cloud.release("2.4.9", VERSION)
    cloud.bucket(BUCKET, REGION)
    project = cloud.project(REGION, PROJECT_ID)
    for topic in (NOTIFY_TOPIC, RELEASES_TOPIC):
        project.topic(topic.rpartition(":")[2])
    project.graph("dev_movies", version="2.4.4", tags={"env": "dev"})
    flaky = project.graph("dev_social", version="2.4.9", tags={"env": "dev"})
    flaky.next_upgrade("failed", fail_reason="Insufficient ECS resources.")
    project.graph("staging_orders", version="2.4.9", tags={"env": "staging"})
    project.graph("orders", version="2.4.9", tags={"env": "prod"})
    project.graph("fraud", version=VERSION, tags={"env": "prod"})
    project.graph("archive", version="2.3.18", status="900", tags={"env": "prod"})
    project.graph("pinned", version="2.4.4", tags={"env": "prod", "ges-upgrader": "off"})
    project.graph("scratch", version="2.4.4")
    return project
