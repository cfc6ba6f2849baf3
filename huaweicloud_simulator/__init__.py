"""A simulated Huawei Cloud: GES, SMN, OBS, IAM and FunctionGraph, as far as an upgrader of graphs needs them.

It checks signatures as the gateway does, and answers in the documented shapes. Use it as a mock, as moto is used for AWS:
inside the `with` block, every request of the `requests` library to Huawei Cloud reaches the simulated one.

>>> from datetime import datetime, timedelta, timezone
>>> import requests
>>> from huaweicloud_simulator import Cloud, VirtualClock, faults, mock_huaweicloud, serve
>>> clock = VirtualClock(datetime(2026, 11, 23, 2, tzinfo=timezone.utc))
>>> cloud = Cloud(clock)
>>> cloud.token("a token")  # or let the SDK sign with ACCESS_KEY and SECRET_KEY
>>> cloud.release("2.4.15")  # GES accepts this version from now on
>>> graph = cloud.project("cn-north-4", "0123456789abcdef").graph("demo", version="2.4.9", tags={"env": "prod"})
>>> path, headers = f"/v2/0123456789abcdef/graphs/{graph.id}", {"X-Auth-Token": "a token"}
>>> with mock_huaweicloud(cloud):
...     url = f"https://ges.cn-north-4.myhuaweicloud.com{path}/upgrade"
...     requests.post(url, json={"upgrade_version": "2.4.15"}, headers=headers).status_code
200
>>> graph.status
'201'
>>> clock.sleep(720)  # twelve minutes pass in a moment
>>> graph.status, graph.version
('200', '2.4.15')

Or as a server on loopback, for any client in any language; `server.environment(region)` names the SDK's endpoint variables.
`python -m huaweicloud_simulator` serves a small fleet.

>>> with serve(cloud) as server:
...     requests.get(server.url + path, headers=headers).json()["graph"]["data_store_version"]
'2.4.15'

What goes wrong in a cloud can be switched on. Each is documented where it is defined:

- `cloud.fault(operation, faults.throttle())`, and the other faults between a client and the cloud
- `cloud.meanwhile(operation, act)`: something happens just before an answer, such as a deletion between two pages of a list
- `graph.next_upgrade(fate)` and `graph.next_backup(outcome)`: how the next one ends, and whether its job can be read
- `graph.operate("ExportGraph")`, `graph.begin_upgrade(…)`, `graph.roll_back()`: other operators, also on the console
- `graph.status = "900"`, `graph.engine_delay = …`, `graph.sick = True`, `cloud.bucket(name).list_allowed = False`
- `cloud.ges.accepts_unknown_versions = True`, `project.delete(graph)`, `cloud.bucket(name).delete(key)`

>>> clock.sleep(86400)
>>> job = graph.roll_back()
>>> graph.status
'203'
>>> clock.sleep(300)
>>> graph.status, graph.version
('200', '2.4.9')
"""

from . import faults
from .clock import Clock, RealClock, VirtualClock
from .cloud import ACCESS_KEY, SECRET_KEY, Cloud, Invocation
from .ges.models import Fate, Graph, Job, Operation, Upgrade
from .mock import current, mock_huaweicloud
from .projects import Project
from .server import serve
from .wire import Request, Response

__all__ = [
    "ACCESS_KEY",
    "SECRET_KEY",
    "Clock",
    "Cloud",
    "Fate",
    "Graph",
    "Invocation",
    "Job",
    "Operation",
    "Project",
    "RealClock",
    "Request",
    "Response",
    "Upgrade",
    "VirtualClock",
    "current",
    "faults",
    "mock_huaweicloud",
    "serve",
]
