"""The documents' graph in a cloud on a virtual clock, and what a client sees of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import requests

from huaweicloud_simulator import Cloud, Graph, VirtualClock, mock_huaweicloud
from tests.builders import NOW, PROJECT_ID

TOKEN = "a token, which does not depend on the clock as a signature does"
DEMO = "f1529b88-c958-493e-8452-fccfe932cde1"


class Site:
    def __init__(self) -> None:
        self.clock = VirtualClock(NOW)
        self.cloud = Cloud(self.clock)
        self.cloud.release("2.4.15")
        self.cloud.token(TOKEN)
        self.project = self.cloud.project("cn-north-4", PROJECT_ID)
        self.graph: Graph = self.project.graph("demo", version="2.4.9", tags={"env": "test"}, id=DEMO)

    def ask(self, method: str, path: str, body: object = None) -> requests.Response:
        """Sends a request to GES. In the path, `{p}` is the project's id and `{g}` the graph's."""
        return self._send(method, f"https://ges.cn-north-4.myhuaweicloud.com{path}", body)

    def ask_engine(self, subject: str) -> requests.Response:
        return self._send("GET", f"http://{self.graph.private_ip}/ges/v1.0/{{p}}/graphs/demo/{subject}")

    def _send(self, method: str, url: str, body: object = None) -> requests.Response:
        url = url.replace("{p}", PROJECT_ID).replace("{g}", DEMO)
        with mock_huaweicloud(self.cloud):
            return requests.request(method, url, json=body, headers={"X-Auth-Token": TOKEN}, timeout=10)

    def upgraded(self, seconds: float, fate: Any = "success", **fields: Any) -> str:
        """Starts an upgrade of 100 seconds with this fate, and waits. Returns its job's id."""
        self.graph.next_upgrade(fate, timedelta(seconds=100), **fields)
        job_id = self.ask("POST", "/v2/{p}/graphs/{g}/upgrade", {"upgrade_version": "2.4.15"}).json()["job_id"]
        self.clock.sleep(seconds)
        return str(job_id)

    def seen(self) -> tuple[str, str]:
        """The graph's status and version."""
        shown = self.ask("GET", "/v2/{p}/graphs/{g}").json()["graph"]
        return shown["status"], shown["data_store_version"]

    def jobs(self) -> list[dict[str, Any]]:
        """The job centre."""
        return list(self.ask("GET", "/v2/{p}/graphs/jobs").json()["job_list"])
