"""The journal in OBS: our client's signature beside the official one, compare-and-swap, lost answers, whole runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
from obs import convertor
from obs.auth import Authentication

from simulator import ACCESS_KEY, SECRET_KEY, Cloud, VirtualClock, faults, mock_huaweicloud
from simulator.obs import Bucket as Shelf
from tests.builders import NOW, policy
from tests.journeys.runs import TIMER, World, only
from upgrader.cloud.credentials import Credentials
from upgrader.cloud.obs import Obs, authorization
from upgrader.storage import Bucket, Conflict, JournalError

KEYS = Credentials(ACCESS_KEY, SECRET_KEY)


@pytest.mark.parametrize(
    ("credentials", "method", "key", "query"),
    [
        (KEYS, "GET", "ges/journal.jsonl", {}),
        (KEYS, "POST", "ges/journal.jsonl", {"append": "", "position": "0"}),
        (Credentials("AK", "SK", "a security token"), "POST", "a b/ü~.x", {"append": "", "position": "123"}),
    ],
)
def test_the_signature_is_the_official_clients(credentials: Credentials, method: str, key: str, query: dict[str, str]) -> None:
    ours = authorization(credentials, method, f"/state/{quote(key, safe='/~')}", query, NOW)
    headers = {name: value for name, value in ours.items() if name != "Authorization"}
    signer = Authentication(credentials.ak, credentials.sk, True, convertor.Adapter("obs"), None, False)
    official = signer.doAuth(method, "state", key, {name: value or None for name, value in query.items()}, dict(headers))
    assert ours["Authorization"] == official["Authorization"]


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with mock_huaweicloud(Cloud(VirtualClock(NOW))) as mocked:
        yield mocked


@pytest.fixture
def shelf(cloud: Cloud) -> Shelf:
    return cloud.bucket("state")


def bucket(cloud: Cloud, credentials: Credentials = KEYS, name: str = "state") -> Bucket:
    end = cloud.clock.now() + timedelta(minutes=5)
    base = f"https://{name}.obs.cn-north-4.myhuaweicloud.com"
    obs = Obs(credentials, name, "cn-north-4", base, cloud.clock, lambda: end - cloud.clock.now())
    return Bucket(obs, "ges/journal.jsonl")


def test_what_is_appended_at_the_end_is_read_from_any_position(cloud: Cloud, shelf: Shelf) -> None:
    storage = bucket(cloud)
    assert storage.read(0) == b""
    storage.append(0, b"one\n")
    storage.append(4, b"two\n")
    assert [storage.read(position) for position in (0, 4, 8)] == [b"one\ntwo\n", b"two\n", b""]
    assert shelf.objects["ges/journal.jsonl"].data == b"one\ntwo\n"


def test_an_append_elsewhere_is_a_conflict(cloud: Cloud, shelf: Shelf) -> None:
    storage = bucket(cloud)
    storage.append(0, b"one\n")
    for position in (0, 3, 9):
        with pytest.raises(Conflict):
            storage.append(position, b"two\n")
    assert shelf.objects["ges/journal.jsonl"].data == b"one\n"


def test_an_append_whose_answer_is_lost_is_found_and_not_made_twice(cloud: Cloud, shelf: Shelf) -> None:
    storage = bucket(cloud)
    cloud.fault("obs.append_object", faults.lost_answer())
    storage.append(0, b"one\n")
    assert shelf.objects["ges/journal.jsonl"].data == b"one\n"
    assert len(cloud.calls("obs.append_object")) == 1


def test_an_append_that_never_landed_is_made_again(cloud: Cloud, shelf: Shelf) -> None:
    cloud.fault("obs.append_object", faults.read_timeout(acts=False), times=2)
    bucket(cloud).append(0, b"one\n")
    assert shelf.objects["ges/journal.jsonl"].data == b"one\n"
    assert len(cloud.calls("obs.append_object")) == 3


def test_an_append_that_was_overtaken_while_its_answer_was_lost_is_a_conflict(cloud: Cloud, shelf: Shelf) -> None:
    def overtaken(_: object) -> bool:
        if "ges/journal.jsonl" not in shelf.objects:
            with mock_huaweicloud(cloud):
                cloud.clear_faults()
                bucket(cloud).append(0, b"other\n")
            return True
        return False

    cloud.fault("obs.append_object", faults.read_timeout(acts=False), where=overtaken)
    with pytest.raises(Conflict):
        bucket(cloud).append(0, b"one\n")
    assert shelf.objects["ges/journal.jsonl"].data == b"other\n"


@pytest.mark.parametrize(
    "fault", [faults.error(503, "ServiceUnavailable", "busy"), faults.throttle(), faults.read_timeout(acts=False)]
)
def test_reading_bears_a_few_faults(cloud: Cloud, shelf: Shelf, fault: faults.Fault) -> None:
    bucket(cloud).append(0, b"one\n")
    cloud.fault("obs.get_object", fault, times=3)
    assert bucket(cloud).read(0) == b"one\n"


def test_an_outage_is_an_error_that_says_what_and_where(cloud: Cloud, shelf: Shelf) -> None:
    cloud.fault("obs.*", faults.error(503, "ServiceUnavailable", "busy"), times=None)
    with pytest.raises(JournalError, match=r"obs get_object in cn-north-4: ServiceUnavailable \(HTTP 503"):
        bucket(cloud).read(0)
    with pytest.raises(JournalError, match="ServiceUnavailable"):
        bucket(cloud).append(0, b"one\n")


@pytest.mark.parametrize(
    ("credentials", "name", "code"),
    [(Credentials(ACCESS_KEY, "wrong"), "state", "SignatureDoesNotMatch"), (KEYS, "another", "NoSuchBucket")],
)
def test_what_obs_refuses_is_an_error_with_its_code(
    cloud: Cloud, shelf: Shelf, credentials: Credentials, name: str, code: str
) -> None:
    with pytest.raises(JournalError, match=code):
        bucket(cloud, credentials, name).read(0)


def test_an_object_that_is_gone_is_an_error_and_not_an_empty_journal(cloud: Cloud, shelf: Shelf) -> None:
    storage = bucket(cloud)
    storage.append(0, b"one\n")
    shelf.objects.clear()
    with pytest.raises(JournalError, match="is gone"):
        storage.read(4)


def test_a_whole_upgrade_with_its_state_in_obs_and_the_next_run_knows_of_it() -> None:
    world = World(policy("[{name: prod}]", state="obs://state/ges"))
    world.cloud.bucket("state")
    world.storage = bucket(world.cloud)
    world.graph()
    assert only(world.run(seconds=100))["reason"] == "due"
    world.later(minutes=20)
    world.storage = bucket(world.cloud)
    assert world.run(TIMER)["outcomes"][0]["outcome"] == "succeeded"
    assert world.told() == ["succeeded"]


def test_where_the_state_cannot_be_reached_nothing_is_started() -> None:
    world = World(policy("[{name: prod}]", state="obs://state/ges"))
    world.storage = bucket(world.cloud)
    world.graph()
    result = world.run(seconds=100)
    assert (only(result)["action"], only(result)["reason"]) == ("blocked", "state-unavailable")
    assert "NoSuchBucket" in result["errors"][0]
    assert world.cloud.upgrades == []
