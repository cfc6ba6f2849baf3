"""The journal in OBS: our client's signature beside the official one, compare-and-swap, lost answers, whole runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
from obs import convertor
from obs.auth import Authentication

from ges_upgrader.cloud.credentials import Credentials
from ges_upgrader.cloud.errors import CloudError, Forbidden
from ges_upgrader.cloud.obs import Obs, WrongPosition, authorization
from ges_upgrader.cloud.transport import TRIES
from ges_upgrader.domain.version import Version
from ges_upgrader.history.records import Told, Withdrawn
from ges_upgrader.journal.segments import Journal
from ges_upgrader.journal.storage import Bucket, Conflict, JournalError
from huaweicloud_simulator import ACCESS_KEY, SECRET_KEY, Cloud, VirtualClock, faults, mock_huaweicloud
from huaweicloud_simulator.obs.models import Bucket as Shelf
from huaweicloud_simulator.obs.responses import MAX_APPENDS
from huaweicloud_simulator.wire import Request, Response
from tests.builders import NOW, policy_text
from tests.journeys.runs import TIMER, World, only, release

NAME = "journal-1.jsonl"
KEYS = Credentials(ACCESS_KEY, SECRET_KEY)


@pytest.mark.parametrize(
    ("credentials", "method", "key", "query"),
    [
        (KEYS, "GET", "ges/journal-1.jsonl", {}),
        (KEYS, "POST", "ges/journal-1.jsonl", {"append": "", "position": "0"}),
        (Credentials("AK", "SK", "a security token"), "POST", "a b/ü~.x", {"append": "", "position": "123"}),
    ],
)
def test_signature_is_the_official_one(credentials: Credentials, method: str, key: str, query: dict[str, str]) -> None:
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


def obs(cloud: Cloud, credentials: Credentials = KEYS, name: str = "state") -> Obs:
    end = cloud.clock.now() + timedelta(hours=1)
    base = f"https://{name}.obs.cn-north-4.myhuaweicloud.com"
    return Obs(credentials, name, "cn-north-4", base, cloud.clock, lambda: end - cloud.clock.now())


def bucket(cloud: Cloud, credentials: Credentials = KEYS, name: str = "state") -> Bucket:
    return Bucket(obs(cloud, credentials, name), "ges")


def test_appended_data_is_read_from_any_position(cloud: Cloud, shelf: Shelf) -> None:
    storage = bucket(cloud)
    assert storage.read(NAME) is None
    storage.append(NAME, 0, b"one\n")
    storage.append(NAME, 4, b"two\n")
    assert [storage.read(NAME, position) for position in (0, 4, 8)] == [b"one\ntwo\n", b"two\n", b""]
    assert shelf.objects["ges/journal-1.jsonl"].data == b"one\ntwo\n"


def test_append_elsewhere_is_a_conflict(cloud: Cloud, shelf: Shelf) -> None:
    storage = bucket(cloud)
    storage.append(NAME, 0, b"one\n")
    for position in (0, 3, 9):
        with pytest.raises(Conflict):
            storage.append(NAME, position, b"two\n")
    assert shelf.objects["ges/journal-1.jsonl"].data == b"one\n"


def test_lost_append_is_found_and_not_repeated(cloud: Cloud, shelf: Shelf) -> None:
    storage = bucket(cloud)
    cloud.fault("obs.append_object", faults.lost_answer())
    storage.append(NAME, 0, b"one\n")
    assert shelf.objects["ges/journal-1.jsonl"].data == b"one\n"
    assert len(cloud.calls("obs.append_object")) == 1


def test_append_that_never_landed_is_repeated(cloud: Cloud, shelf: Shelf) -> None:
    cloud.fault("obs.append_object", faults.read_timeout(acts=False), times=2)
    bucket(cloud).append(NAME, 0, b"one\n")
    assert shelf.objects["ges/journal-1.jsonl"].data == b"one\n"
    assert len(cloud.calls("obs.append_object")) == 3


def test_lost_append_that_was_overtaken_is_a_conflict(cloud: Cloud, shelf: Shelf) -> None:
    def overtaken(_: object) -> bool:
        if "ges/journal-1.jsonl" not in shelf.objects:
            with mock_huaweicloud(cloud):
                cloud.clear_faults()
                bucket(cloud).append(NAME, 0, b"other\n")
            return True
        return False

    cloud.fault("obs.append_object", faults.read_timeout(acts=False), where=overtaken)
    with pytest.raises(Conflict):
        bucket(cloud).append(NAME, 0, b"one\n")
    assert shelf.objects["ges/journal-1.jsonl"].data == b"other\n"


@pytest.mark.parametrize(
    "fault", [faults.error(503, "ServiceUnavailable", "busy"), faults.throttle(), faults.read_timeout(acts=False)]
)
def test_read_is_repeated_after_faults(cloud: Cloud, shelf: Shelf, fault: faults.Fault) -> None:
    bucket(cloud).append(NAME, 0, b"one\n")
    cloud.fault("obs.get_object", fault, times=3)
    assert bucket(cloud).read(NAME, 0) == b"one\n"


def test_outage_error_names_operation_and_region(cloud: Cloud, shelf: Shelf) -> None:
    cloud.fault("obs.*", faults.error(503, "ServiceUnavailable", "busy"), times=None)
    with pytest.raises(JournalError, match=r"obs get_object in cn-north-4: ServiceUnavailable \(HTTP 503"):
        bucket(cloud).read(NAME, 0)
    with pytest.raises(JournalError, match="ServiceUnavailable"):
        bucket(cloud).append(NAME, 0, b"one\n")


@pytest.mark.parametrize(
    ("credentials", "name", "code"),
    [(Credentials(ACCESS_KEY, "wrong"), "state", "SignatureDoesNotMatch"), (KEYS, "another", "NoSuchBucket")],
)
def test_refusal_keeps_its_code(cloud: Cloud, shelf: Shelf, credentials: Credentials, name: str, code: str) -> None:
    with pytest.raises(JournalError, match=code):
        bucket(cloud, credentials, name).read(NAME, 0)


def announce(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, header: str, value: str, times: int = 1) -> None:
    """Answers of 200 and 206 carry another value of a header, so many times."""
    handle, left = cloud.handle, [times]

    def changed(request: Request) -> Response:
        response = handle(request)
        if response.status < 300 and left[0]:
            left[0] -= 1
            response.headers[header] = value
        return response

    monkeypatch.setattr(cloud, "handle", changed)


@pytest.mark.parametrize("told", ["0", "3", "5", "9", "-1", "x", ""])
def test_append_with_unexpected_end_is_looked_for(
    cloud: Cloud, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    announce(cloud, monkeypatch, "x-obs-next-append-position", told)
    with pytest.raises(CloudError) as unsure:
        obs(cloud).append(NAME, 0, b"one\n")
    assert (unsure.value.code, unsure.value.may_have_acted) == ("unexpected-position", True)
    announce(cloud, monkeypatch, "x-obs-next-append-position", told)
    bucket(cloud).append(NAME, 0, b"one\n")
    assert shelf.objects["ges/journal-1.jsonl"].data == b"one\n"
    assert len(cloud.calls("obs.append_object")) == 2


def test_append_that_met_another_is_a_conflict(cloud: Cloud, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run's record stands where ours was to be."""
    storage = bucket(cloud)
    handle = cloud.handle

    def overtaken(request: Request) -> Response:
        response = handle(request)
        if request.operation == "obs.append_object":
            shelf.objects["ges/journal-1.jsonl"].data = b"other\n"
            response.headers["x-obs-next-append-position"] = "6"
        return response

    monkeypatch.setattr(cloud, "handle", overtaken)
    with pytest.raises(Conflict):
        storage.append(NAME, 0, b"one\n")


@pytest.mark.parametrize("header", ["x-obs-next-append-position", "Content-Range"])
def test_part_of_an_object_is_not_taken_for_it(
    cloud: Cloud, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    bucket(cloud).append(NAME, 0, b"one\ntwo\n")
    wrong = {"x-obs-next-append-position": "12", "Content-Range": "bytes 0-3/8"}[header]
    announce(cloud, monkeypatch, header, wrong, times=2)
    assert obs(cloud).read(NAME, 4) is None
    assert obs(cloud).read(f"ges/{NAME}", 4) == b"two\n"
    announce(cloud, monkeypatch, header, wrong, times=99)
    with pytest.raises(CloudError, match="unreadable"):
        obs(cloud).read(f"ges/{NAME}", 4)


def test_ignored_range_is_cut_here(cloud: Cloud, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket(cloud).append(NAME, 0, b"one\ntwo\n")
    handle = cloud.handle

    def whole(request: Request) -> Response:
        request.headers.pop("range", None)
        return handle(request)

    monkeypatch.setattr(cloud, "handle", whole)
    assert obs(cloud).read(f"ges/{NAME}", 4) == b"two\n"


@pytest.mark.parametrize(("listed", "kind"), [(True, None), (False, Forbidden)])
def test_missing_object_is_forbidden_without_the_list_right(
    cloud: Cloud, shelf: Shelf, listed: bool, kind: type[CloudError] | None
) -> None:
    """deploy.md 3."""
    shelf.list_allowed = listed
    if kind is None:
        assert obs(cloud).read(NAME, 0) is None
        return
    with pytest.raises(kind) as forbidden:
        obs(cloud).read(NAME, 0)
    assert (forbidden.value.status, forbidden.value.code, forbidden.value.may_have_acted) == (403, "AccessDenied", False)
    assert len(cloud.calls("obs.get_object")) == 1
    obs(cloud).append(NAME, 0, b"one\n")
    assert obs(cloud).read(NAME, 0) == b"one\n"


def test_unreadable_object_is_forbidden_and_there(cloud: Cloud, shelf: Shelf) -> None:
    """An append at position 0 tells it from a missing one."""
    obs(cloud).append(NAME, 0, b"one\n")
    shelf.read_allowed = False
    with pytest.raises(Forbidden):
        obs(cloud).read(NAME, 0)
    with pytest.raises(WrongPosition):
        obs(cloud).append(NAME, 0, b"one\n")


def test_other_refusals_are_not_forbidden(cloud: Cloud, shelf: Shelf) -> None:
    shelf.list_allowed = False
    with pytest.raises(CloudError, match="SignatureDoesNotMatch") as refused:
        obs(cloud, Credentials(ACCESS_KEY, "wrong")).read(NAME, 0)
    assert not isinstance(refused.value, Forbidden)


def test_throttled_append_did_not_act(cloud: Cloud, shelf: Shelf) -> None:
    cloud.fault("obs.append_object", faults.error(429, "TooManyRequests", "busy"), times=None)
    with pytest.raises(CloudError) as throttled:
        obs(cloud).append(NAME, 0, b"one\n")
    assert not throttled.value.may_have_acted
    assert len(cloud.calls("obs.append_object")) == TRIES


def test_aborted_append_is_made_again(cloud: Cloud, shelf: Shelf) -> None:
    cloud.fault("obs.append_object", faults.error(409, "OperationAborted", "busy"), times=2)
    obs(cloud).append(NAME, 0, b"one\n")
    assert shelf.objects[NAME].data == b"one\n"


def test_calls_take_a_quarter_of_the_time(cloud: Cloud, shelf: Shelf) -> None:
    """Retry-After asks for more than that, so that the call is not repeated."""
    began = cloud.clock.now()
    cloud.fault("obs.get_object", faults.throttle(retry_after=16 * 60), times=None)
    with pytest.raises(CloudError):
        obs(cloud).read(NAME, 0)
    assert len(cloud.calls("obs.get_object")) == 1
    cloud.clear_faults()
    cloud.fault("obs.get_object", faults.throttle(retry_after=10 * 60), times=None)
    with pytest.raises(CloudError):
        obs(cloud).read(NAME, 0)
    assert len(cloud.calls("obs.get_object")) == 3
    assert cloud.clock.now() - began <= timedelta(minutes=15)


def test_missing_object_is_no_empty_journal(cloud: Cloud, shelf: Shelf) -> None:
    journal = Journal(bucket(cloud))
    journal.write(Withdrawn(at=NOW, version=Version("2.4.9")))
    shelf.objects.clear()
    with pytest.raises(JournalError, match="is missing"):
        journal.refresh()


def test_quiet_run_reads_three_objects() -> None:
    """`head`, the newest file, and whether the marker is there."""
    world = World(policy_text(state="obs://state/ges", journal_keep="1d"))
    for months in range(4):
        world.cloud.release(version := f"2.5.{months}")
        world.graph(f"graph_{months}")
        world.run(release(version))
        world.later(days=30)
    assert len(world.cloud.buckets["state"].objects) > 2
    world.run(TIMER)
    before = len(world.cloud.calls("obs.get_object"))
    assert world.run(TIMER)["errors"] == []
    assert len(world.cloud.calls("obs.get_object")) - before == 3


def test_next_run_knows_an_upgrade_from_obs() -> None:
    world = World(policy_text("[{name: prod}]", state="obs://state/ges"))
    world.graph()
    assert only(world.run(seconds=100))["reason"] == "due"
    world.later(minutes=20)
    assert world.run(TIMER)["outcomes"][0]["outcome"] == "succeeded"
    assert world.told() == ["succeeded"]


def test_nothing_starts_without_the_bucket() -> None:
    world = World(policy_text("[{name: prod}]", state="obs://state/ges"))
    world.cloud.buckets.clear()
    world.graph()
    result = world.run(seconds=100)
    assert (only(result)["action"], only(result)["reason"]) == ("blocked", "state-unavailable")
    assert "NoSuchBucket" in result["errors"][0]
    assert world.cloud.upgrades == []


def test_run_with_more_appends_than_an_object_takes(cloud: Cloud, shelf: Shelf) -> None:
    journal = Journal(bucket(cloud))
    for number in range(MAX_APPENDS + 50):
        journal.write(Told(at=NOW, event_id=f"n{number}", message_id=""))
    assert max(one.appends for one in shelf.objects.values()) < MAX_APPENDS
    later = Journal(bucket(cloud))
    later.refresh()
    assert all(later.history.outbox.delivered(f"n{number}") for number in range(MAX_APPENDS + 50))


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("event", [TIMER, release("2.4.15")])
def test_first_run_begins_the_journal(listed: bool, event: object) -> None:
    """Without obs:bucket:ListBucket OBS answers 403 for what is not there (deploy.md 3)."""
    world = World(policy_text(state="obs://state/ges", releases="[{version: 2.4.15}]"), new=True)
    world.cloud.buckets["state"].list_allowed = listed
    graph = world.graph()
    result = world.run(event)
    assert (result["errors"], result["journal"]) == ([], "kept")
    assert graph.version == "2.4.15"
    world.forget()
    assert world.run(TIMER)["errors"] == []
    assert len(world.cloud.upgrades) == 1


def test_journal_grows_without_the_list_right() -> None:
    world = World(policy_text(state="obs://state/ges", journal_keep="1d"), new=True)
    world.cloud.buckets["state"].list_allowed = False
    for months in range(4):
        world.cloud.release(version := f"2.5.{months}")
        graph = world.graph(f"graph_{months}")
        assert world.run(release(version))["errors"] == []
        assert graph.version == version
        world.later(days=30)
    assert {"ges/head", "ges/journal-1.jsonl", "ges/journal-3.jsonl"} <= set(world.cloud.buckets["state"].objects)


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("listed", [True, False])
def test_journal_that_may_not_be_read_starts_nothing(new: bool, listed: bool) -> None:
    """An append of version 0 tells it from one that is not there; what was written must be read before it counts."""
    world = World(policy_text(state="obs://state/ges"), new=new)
    shelf = world.cloud.buckets["state"]
    shelf.list_allowed, shelf.read_allowed = listed, False
    world.graph()
    for _ in range(3):
        result = world.run(seconds=300)
        assert only(result)["reason"] == "state-unavailable"
        assert "AccessDenied" in result["errors"][0]
    assert world.cloud.upgrades == []
    shelf.read_allowed = True
    assert world.run()["errors"] == []
    assert len(world.cloud.upgrades) == 1


@pytest.mark.parametrize("listed", [True, False])
def test_plan_before_the_first_run_is_truthful(listed: bool) -> None:
    world = World(policy_text(state="obs://state/ges"), new=True)
    shelf = world.cloud.buckets["state"]
    shelf.list_allowed = listed
    world.graph()
    result = world.run({"command": "plan"})
    assert shelf.objects == {}
    assert (only(result)["reason"], result["journal"]) == (
        ("no-release", "kept") if listed else ("state-unavailable", "unavailable")
    )
    assert listed or "there may be no journal yet" in result["errors"][0]


def test_first_run_that_may_not_write_starts_nothing() -> None:
    world = World(policy_text(state="obs://state/ges"), new=True)
    world.cloud.buckets["state"].list_allowed = False
    world.cloud.fault("obs.append_object", faults.error(403, "AccessDenied", "Access Denied"), times=None)
    world.graph()
    assert only(world.run(seconds=300))["reason"] == "state-unavailable"
    assert world.cloud.upgrades == []
