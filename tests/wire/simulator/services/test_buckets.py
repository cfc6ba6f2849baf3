"""Buckets in the eyes of the ordinary OBS client (deploy.md 3)."""

from __future__ import annotations

from typing import Any

import pytest
from obs import AppendObjectContent, CreateBucketHeader, ObsClient, convertor

from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud
from huaweicloud_simulator.server import Server


@pytest.fixture
def obs(server: Server) -> Any:
    """At an IP address the SDK would use AWS's signature. This makes it use its own."""
    client = ObsClient(access_key_id=ACCESS_KEY, secret_access_key=SECRET_KEY, server=server.url, max_retry_count=0)
    client.signature = client.thread_local.signature = "obs"
    client.ha = convertor.Adapter("obs")
    client.convertor = convertor.Convertor("obs", client.ha)
    return client


def create(obs: Any, name: str = "state-of-mine", **header: str) -> Any:
    return obs.createBucket(name, CreateBucketHeader(aclControl="private", **header), location="cn-east-3")


def test_bucket_is_created_where_asked(cloud: Cloud, obs: Any) -> None:
    assert create(obs, storageClass="WARM").status == 200
    head = obs.getBucketMetadata("state-of-mine")
    assert (head.status, head.body.location, head.body.storageClass) == (200, "cn-east-3", "WARM")
    assert obs.getBucketLocation("state-of-mine").body.location == "cn-east-3"
    assert [one.name for one in obs.listBuckets().body.buckets] == ["state-of-mine"]


def test_taken_names_are_told_apart(cloud: Cloud, obs: Any) -> None:
    create(obs)
    cloud.bucket("foreign").foreign = True
    assert (create(obs).status, create(obs).errorCode) == (409, "BucketAlreadyOwnedByYou")
    assert create(obs, "foreign").errorCode == "BucketAlreadyExists"
    heads = [obs.headBucket(name).status for name in ("state-of-mine", "foreign", "nowhere")]
    assert heads == [200, 403, 404]
    assert create(obs, "No_Name").status == 400


def test_versioning_and_lifecycle_are_absent_until_set(obs: Any) -> None:
    create(obs)
    assert obs.getBucketVersioning("state-of-mine").body in (None, "")
    assert obs.getBucketLifecycle("state-of-mine").errorCode == "NoSuchLifecycleConfiguration"
    assert obs.setBucketVersioning("state-of-mine", "Enabled").status == 200
    assert obs.getBucketVersioning("state-of-mine").body == "Enabled"
    assert obs.getBucketStoragePolicy("state-of-mine").body.storageClass == "STANDARD"


def test_objects_are_listed_page_by_page(obs: Any) -> None:
    create(obs)
    for key in ("ges/a", "ges/b", "ges/c/d", "other"):
        assert obs.appendObject("state-of-mine", key, AppendObjectContent(content="x", position=0)).status == 200
    first = obs.listObjects("state-of-mine", prefix="ges/", max_keys=2).body
    assert ([one.key for one in first.contents], first.is_truncated) == (["ges/a", "ges/b"], True)
    rest = obs.listObjects("state-of-mine", prefix="ges/", marker=first.next_marker).body
    assert [one.key for one in rest.contents] == ["ges/c/d"]
    folders = obs.listObjects("state-of-mine", delimiter="/").body
    assert ([one.prefix for one in folders.commonPrefixs], [one.key for one in folders.contents]) == (["ges/"], ["other"])


def test_only_an_empty_bucket_is_deleted(cloud: Cloud, obs: Any) -> None:
    create(obs)
    obs.putContent("state-of-mine", "key", "x")
    assert obs.deleteBucket("state-of-mine").errorCode == "BucketNotEmpty"
    obs.deleteObject("state-of-mine", "key")
    assert obs.deleteBucket("state-of-mine").status == 204
    assert "state-of-mine" not in cloud.buckets


def test_cold_bucket_takes_no_append(obs: Any) -> None:
    create(obs, storageClass="COLD")
    assert obs.appendObject("state-of-mine", "key", AppendObjectContent(content="x", position=0)).status == 409
