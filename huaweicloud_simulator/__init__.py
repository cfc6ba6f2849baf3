"""What moto is for AWS, for the part of Huawei Cloud that the function meets.

with mock_huaweicloud() as cloud:                # in the process, on `responses`
    cloud.project("cn-north-4", PROJECT_ID).graph("demo", version="2.4.4")

with serve(Cloud()) as server:                   # on loopback
    server.environment("cn-north-4")             # the SDK's endpoint variables
"""

from . import faults
from .clock import RealClock, VirtualClock
from .cloud import ACCESS_KEY, SECRET_KEY, Cloud
from .mock import current, mock_huaweicloud
from .server import serve

__all__ = [
    "ACCESS_KEY",
    "SECRET_KEY",
    "Cloud",
    "RealClock",
    "VirtualClock",
    "current",
    "faults",
    "mock_huaweicloud",
    "serve",
]
