"""Agencies, policies, bindings and temporary credentials in the eyes of the official SDKs (deploy.md 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkiam import v3 as iam
from huaweicloudsdksts import v1 as sts

from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud
from huaweicloud_simulator.iam.state import DOMAIN_ID
from huaweicloud_simulator.server import Server
from tests.builders import PROJECT_ID

MEMBER = "e" * 32


@pytest.fixture
def client(server: Server) -> Any:
    credentials = GlobalCredentials(ACCESS_KEY, SECRET_KEY, DOMAIN_ID)
    return iam.IamClient.new_builder().with_credentials(credentials).with_endpoint(server.url).build()


def refused(act: Callable[[], Any]) -> int:
    with pytest.raises(ClientRequestException) as caught:
        act()
    return int(caught.value.status_code)


def create_agency(client: Any, name: str = "ges-upgrader") -> Any:
    option = iam.CreateAgencyOption(name=name, domain_id=DOMAIN_ID, trust_domain_name="op_svc_cff", duration="FOREVER")
    return client.create_agency(iam.CreateAgencyRequest(body=iam.CreateAgencyRequestBody(agency=option))).agency


def create_policy(client: Any, *actions: str, type: str = "XA") -> Any:
    policy = iam.ServicePolicyRoleOption(
        display_name=f"ges-upgrader-{type}",
        type=type,
        description="",
        policy=iam.ServicePolicy(version="1.1", statement=[iam.ServiceStatement(action=list(actions), effect="Allow")]),
    )
    body = iam.CreateCloudServiceCustomPolicyRequestBody(role=policy)
    return client.create_cloud_service_custom_policy(iam.CreateCloudServiceCustomPolicyRequest(body=body)).role


def test_agency_is_created_once_and_found(client: Any) -> None:
    made = create_agency(client)
    assert refused(lambda: create_agency(client)) == 409
    found = client.list_agencies(iam.ListAgenciesRequest(domain_id=DOMAIN_ID, name="ges-upgrader")).agencies
    assert [(one.id, one.trust_domain_name) for one in found] == [(made.id, "op_svc_cff")]
    client.delete_agency(iam.DeleteAgencyRequest(agency_id=made.id))
    assert not client.list_agencies(iam.ListAgenciesRequest(domain_id=DOMAIN_ID, name="ges-upgrader")).agencies


def test_policy_is_bound_checked_and_listed(client: Any) -> None:
    agency, role = create_agency(client), create_policy(client, "ges:graph:list")
    where = {"project_id": PROJECT_ID, "agency_id": agency.id, "role_id": role.id}
    check = iam.CheckProjectPermissionForAgencyRequest(**where)
    assert refused(lambda: client.check_project_permission_for_agency(check)) == 404
    for _ in range(2):
        client.associate_agency_with_project_permission(iam.AssociateAgencyWithProjectPermissionRequest(**where))
    client.check_project_permission_for_agency(check)
    listed = iam.ListProjectPermissionsForAgencyRequest(project_id=PROJECT_ID, agency_id=agency.id)
    assert [one.id for one in client.list_project_permissions_for_agency(listed).roles] == [role.id]


def test_policy_is_bound_to_all_resources(cloud: Cloud, client: Any) -> None:
    agency, role = create_agency(client), create_policy(client, "obs:object:GetObject", type="AX")
    where = {"domain_id": DOMAIN_ID, "agency_id": agency.id, "role_id": role.id}
    client.associate_agency_with_all_projects_permission(iam.AssociateAgencyWithAllProjectsPermissionRequest(**where))
    assert [scope.kind for scope, _ in cloud.iam.roles_of(agency.id)] == ["all"]


@pytest.mark.parametrize(("type", "action"), [("XA", "obs:object:GetObject"), ("AX", "ges:graph:list"), ("XA", "ges:graph")])
def test_policy_with_a_wrong_action_is_refused(client: Any, type: str, action: str) -> None:
    assert refused(lambda: create_policy(client, action, type=type)) == 400


def test_second_policy_of_a_name_is_refused(client: Any) -> None:
    create_policy(client, "ges:graph:list")
    assert refused(lambda: create_policy(client, "ges:graph:list")) == 409
    found = client.list_custom_policies(iam.ListCustomPoliciesRequest()).roles
    assert [one.display_name for one in found] == ["ges-upgrader-XA"]


def test_projects_and_account_are_found(client: Any) -> None:
    found = client.keystone_list_projects(iam.KeystoneListProjectsRequest(name="cn-north-4")).projects
    assert [(one.id, one.name) for one in found] == [(PROJECT_ID, "cn-north-4")]
    assert [one.id for one in client.keystone_list_auth_domains(iam.KeystoneListAuthDomainsRequest()).domains] == [DOMAIN_ID]


def test_member_agency_gives_temporary_credentials(cloud: Cloud, server: Server) -> None:
    cloud.iam.domains[MEMBER] = "member"
    cloud.iam.add_agency("ges-upgrader-member", trusts=cloud.iam.domains[DOMAIN_ID], domain_id=MEMBER)
    cloud.iam.add_agency("distrusting", trusts="somebody-else", domain_id=MEMBER)
    credentials = BasicCredentials(ACCESS_KEY, SECRET_KEY, PROJECT_ID)
    client = sts.StsClient.new_builder().with_credentials(credentials).with_endpoint(server.url).build()

    def assume(name: str) -> Any:
        body = sts.AssumeAgencyReqBody(
            agency_urn=f"iam::{MEMBER}:agency:{name}", agency_session_name="ges-upgrader", duration_seconds=3600
        )
        return client.assume_agency(sts.AssumeAgencyRequest(body=body)).credentials

    found = assume("ges-upgrader-member")
    temporary = BasicCredentials(found.access_key_id, found.secret_access_key, PROJECT_ID).with_security_token(
        found.security_token
    )
    theirs = sts.StsClient.new_builder().with_credentials(temporary).with_endpoint(server.url).build()
    assert theirs.get_caller_identity(sts.GetCallerIdentityRequest()).account_id == MEMBER
    assert client.get_caller_identity(sts.GetCallerIdentityRequest()).account_id == DOMAIN_ID
    assert (refused(lambda: assume("distrusting")), refused(lambda: assume("nobody"))) == (403, 404)
