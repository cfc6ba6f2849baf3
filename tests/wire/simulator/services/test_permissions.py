"""What an agency's credentials may do, and how each service refuses the rest (deploy.md 4.2, ges.md 7)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ges_upgrader.cloud.credentials import Credentials
from ges_upgrader.cloud.errors import CloudError
from ges_upgrader.cloud.ges.client import Ges
from ges_upgrader.cloud.obs import Obs
from ges_upgrader.cloud.smn import Smn
from ges_upgrader.cloud.transport import Transport
from huaweicloud_simulator import Cloud, VirtualClock, mock_huaweicloud
from huaweicloud_simulator.iam import permissions
from huaweicloud_simulator.iam.actions import ACTIONS, UNKNOWN
from huaweicloud_simulator.iam.models import Role
from tests.builders import NOW, PROJECT, PROJECT_ID, TOPIC

LIST = ("ges:graph:list", "vpc:publicIps:get")


class Agency:
    """An agency without rights in a cloud that enforces them, and what its credentials meet there."""

    def __init__(self) -> None:
        self.clock = VirtualClock(NOW)
        self.cloud = Cloud(self.clock)
        self.project = self.cloud.project("cn-north-4", PROJECT_ID)
        self.project.topic("ges-upgrades")
        self.cloud.bucket("state")
        self.cloud.iam.enforced = True
        self.agency = self.cloud.iam.add_agency("ges-upgrader")
        found = self.cloud.iam.credentials_for(self.agency)
        self.keys = Credentials(found.access, found.secret, found.security_token)

    def grant(self, *actions: str, kind: Any = "all", type: str = "XA", resource: str = "", effect: str = "Allow") -> None:
        statement: dict[str, Any] = {"Effect": effect, "Action": list(actions)}
        if resource:
            statement["Resource"] = [resource]
        role = Role(f"role {len(self.cloud.iam.roles)}", type, {"Version": "1.1", "Statement": [statement]}, domain_id="d")
        self.cloud.iam.grant(self.agency, role, kind, PROJECT_ID if kind == "project" else "")

    def _transport(self) -> Transport:
        where = "https://{}.{}.myhuaweicloud.com".format
        return Transport(self.keys, where, self.clock, lambda: timedelta(minutes=1))

    def list_graphs(self) -> str:
        return self._tried(lambda: Ges(self._transport(), "v2").list_graphs(PROJECT))

    def publish(self) -> str:
        return self._tried(
            lambda: Smn(self._transport()).publish("cn-north-4", PROJECT_ID, TOPIC, "subject", {"default": "{}"})
        )

    def read(self, key: str = "ges/journal-1.jsonl") -> str:
        url = "https://state.obs.cn-north-4.myhuaweicloud.com"
        obs = Obs(self.keys, "state", "cn-north-4", url, self.clock, lambda: timedelta(minutes=1))
        return self._tried(lambda: obs.read(key, 0))

    def _tried(self, act: Any) -> str:
        """The code of the refusal; empty if there was none."""
        with mock_huaweicloud(self.cloud):
            try:
                act()
            except CloudError as error:
                return str(error)
        return ""


@pytest.fixture
def one() -> Agency:
    return Agency()


def test_agency_without_rights_is_refused(one: Agency) -> None:
    assert "GES.7041" in one.list_graphs()
    assert "SMN.0001" in one.publish()
    assert "AccessDenied" in one.read()


def test_granted_calls_pass(one: Agency) -> None:
    one.grant(*LIST, "smn:topic:publish")
    one.grant("obs:object:GetObject", "obs:bucket:ListBucket", type="AX")
    assert (one.list_graphs(), one.publish(), one.read()) == ("", "", "")


@pytest.mark.parametrize("missing", LIST)
def test_call_needs_all_of_its_actions(one: Agency, missing: str) -> None:
    one.grant(*(action for action in LIST if action != missing))
    assert "GES.7041" in one.list_graphs()


def test_missing_object_shows_only_to_who_may_list(one: Agency) -> None:
    one.grant("obs:object:GetObject", type="AX")
    assert "AccessDenied" in one.read()
    one.grant("obs:bucket:ListBucket", type="AX", resource="obs:*:*:bucket:state")
    assert one.read() == ""


def test_right_in_one_project_does_not_reach_obs(one: Agency) -> None:
    one.grant("obs:object:GetObject", "obs:bucket:ListBucket", type="AX", kind="project")
    assert "AccessDenied" in one.read()


def test_right_in_its_project_reaches_ges(one: Agency) -> None:
    one.grant(*LIST, kind="project")
    assert one.list_graphs() == ""


def test_resource_narrows_a_right(one: Agency) -> None:
    one.grant("obs:object:GetObject", type="AX", resource="obs:*:*:object:state/ges/*")
    one.grant("obs:bucket:ListBucket", type="AX")
    assert one.read() == ""
    assert "AccessDenied" in one.read("other/journal-1.jsonl")


def test_deny_wins(one: Agency) -> None:
    one.grant("ges:*:*", "vpc:*:*")
    one.grant("ges:graph:list", effect="Deny")
    assert "GES.7041" in one.list_graphs()


def test_new_grant_needs_time(one: Agency) -> None:
    one.cloud.iam.grant_delay = timedelta(minutes=10)
    one.grant(*LIST)
    assert "GES.7041" in one.list_graphs()
    one.clock.sleep(600)
    assert one.list_graphs() == ""


def test_unused_grants_are_found(one: Agency) -> None:
    one.grant(*LIST, "ges:graph:delete", "smn:topic:publish")
    one.list_graphs()
    assert permissions.unused(one.cloud.iam, "ges-upgrader") == {"ges:graph:delete", "smn:topic:publish"}
    one.publish()
    assert permissions.unused(one.cloud.iam, "ges-upgrader") == {"ges:graph:delete"}


def test_expired_credentials_are_refused(one: Agency) -> None:
    one.grant(*LIST)
    one.clock.sleep(24 * 3600 + 1)
    assert "401" in one.list_graphs()


def test_agency_deleted_may_do_nothing(one: Agency) -> None:
    one.grant(*LIST)
    one.cloud.iam.revoke(one.agency.id)
    assert "GES.7041" in one.list_graphs()


def test_foreign_project_needs_an_agency_there(one: Agency) -> None:
    one.grant(*LIST)
    one.project.domain_id = "e" * 32
    assert "GES.0016" in one.list_graphs()
    one.agency.domain_id = "e" * 32
    assert one.list_graphs() == ""


def test_table_names_actions_of_the_calls_service() -> None:
    for operation, actions in ACTIONS.items():
        service = operation.partition(".")[0]
        assert {UNKNOWN, service, "vpc", "iam"} >= {action.partition(":")[0] for action in actions}, operation
