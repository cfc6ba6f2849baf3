"""What each channel gets, inside SMN's limits (smn-obs-core.md A)."""

from __future__ import annotations

import json
import unicodedata

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ges_upgrader.domain.model import Verdict
from ges_upgrader.history.outbox import Event
from ges_upgrader.history.records import Noticed
from ges_upgrader.notifications.messages import compose
from ges_upgrader.notifications.notices import not_handed_over, started
from tests.builders import NOW, attempt, graph

ATTEMPT = attempt(graph("demo"))


def event(verdict: Verdict, detail: str | None = None, name: str = "demo") -> Event:
    return Event(id=f"job-1:{verdict.value}", at=NOW, attempt=attempt(graph(name)), verdict=verdict, detail=detail)


def test_the_default_text_is_the_interfaces_json() -> None:
    message = compose(event(Verdict.ROLLED_BACK, "no space"), "run-1", "0123456789ab", True)
    content = json.loads(message.texts["default"])
    wanted = "event_id run_id region project_id graph_id graph from_version to_version job_id outcome detail began_at ended_at"
    assert set(wanted.split()) <= set(content)
    assert content["schema"] == "ges.upgrade.result/1"
    assert (content["event_id"], content["outcome"], content["detail"]) == (
        "job-1:rolled-back",
        "rolled-back",
        "no space",
    )
    assert (content["from_version"], content["to_version"], content["began_at"]) == (
        "2.4.4",
        "2.4.15",
        "2026-11-23T02:00:00Z",
    )


def test_an_upgrade_to_nobody_knows_what_is_not_told_to_have_gone_to_where_it_began() -> None:
    adopted = attempt(graph("demo"), "2.4.4", adopted=True)
    message = compose(Event(id="e", at=NOW, attempt=adopted, verdict=Verdict.FAILED), "run-1", "p", True)
    assert json.loads(message.texts["default"])["to_version"] is None
    assert "from 2.4.4 to a later version" in message.texts["email"]
    assert message.subject == "GES failed: demo 2.4.4 to a later version"


def test_a_notice_about_a_great_fleet_stays_inside_the_limit_of_smn() -> None:
    ids = tuple(f"{number:036d}" for number in range(10_000))
    notice = Noticed(at=NOW, notice_id="planned", text="x" * 400_000, subject="GES planned", graphs=ids)
    texts = compose(Event(id="e", at=NOW, notice=notice), "run-1", "p", True).texts
    assert len(json.dumps(texts).encode()) < 128 * 1024
    content = json.loads(texts["default"])
    assert (content["graph_count"], content["graph_ids"]) == (10_000, list(ids[:1000]))


def test_success_says_how_to_go_back_and_what_that_costs() -> None:
    text = compose(event(Verdict.SUCCEEDED), "run-1", "p", True).texts["email"]
    assert "within 30 days, so until 2026-12-23" in text
    assert "lost" in text


def test_without_a_lasting_state_the_message_says_so() -> None:
    message = compose(event(Verdict.SUCCEEDED), "run-1", "p", False)
    assert "none" in json.loads(message.texts["default"])["state"]
    assert "keeps no state" in message.texts["email"]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_words_for_each_channel(verdict: Verdict) -> None:
    message = compose(event(verdict), "run-1", "p", True)
    assert {"default", "email", "sms"} == set(message.texts)
    assert verdict.value in message.subject
    assert "demo" in message.texts["sms"]


@given(st.sampled_from(Verdict), st.text(), st.text())
def test_every_text_stays_inside_the_limits(verdict: Verdict, detail: str, name: str) -> None:
    message = compose(event(verdict, detail * 5000, name * 50), "run-1", "p", False)
    assert len(message.subject.encode()) <= 512
    assert not any(ord(char) < 32 for char in message.subject)
    assert len(message.texts["sms"]) <= 490
    assert not set("[]【】") & set(message.texts["sms"])
    assert len(json.dumps(message.texts).encode()) <= 256 * 1024


HOSTILE = st.text(st.characters(exclude_categories=()) | st.sampled_from("\n\r\x00\x1b\x85\u2028\u202e\u200b\ud83d:{}ab"))


def unseen(*texts: str) -> list[str]:
    return [char for text in texts for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


@given(st.sampled_from(Verdict), st.lists(HOSTILE, min_size=5, max_size=5), st.booleans())
def test_foreign_text_forges_no_line(verdict: Verdict, texts: list[str], halts: bool) -> None:
    name, graph_id, rule, job_id, detail = (f"x{text}" for text in texts)
    harmless = Event(id="job-1", at=NOW, attempt=ATTEMPT, verdict=verdict, detail="no space", halts=halts)
    hostile = msgspec.structs.replace(
        harmless,
        id=f"{job_id}:{verdict.value}",
        attempt=msgspec.structs.replace(ATTEMPT, graph=name, graph_id=graph_id, rule=rule, job_id=job_id),
        detail=detail,
    )
    message, expected = compose(hostile, "run-1", "p", True), compose(harmless, "run-1", "p", True)
    lines = message.texts["email"].split("\n")
    assert len(lines) == len(expected.texts["email"].split("\n"))
    assert not unseen(message.subject, message.texts["sms"], *lines)
    assert not unseen(*map(str, json.loads(message.texts["default"]).values()))


@given(HOSTILE, HOSTILE)
def test_notice_has_only_its_own_lines(name: str, why: str) -> None:
    odd = msgspec.structs.replace(ATTEMPT, graph=f"x{name}", rule=f"x{name}")
    for notice, expected in (
        (started(odd, NOW), started(ATTEMPT, NOW)),
        (
            not_handed_over([odd], why, "Set follow_up: timer.", NOW),
            not_handed_over([ATTEMPT], "no", "Set follow_up: timer.", NOW),
        ),
    ):
        texts = compose(Event(id="e", at=NOW, notice=notice), "run-1", "p", True).texts
        assert texts["email"].count("\n") == expected.text.count("\n") + 2
        assert not unseen(texts["email"].replace("\n", ""), texts["sms"])


def test_command_names_a_graph_of_any_name_exactly() -> None:
    odd = msgspec.structs.replace(ATTEMPT, graph="de\u202emo\n\u200b")
    email = compose(msgspec.structs.replace(event(Verdict.FAILED), attempt=odd), "run-1", "p", True).texts["email"]
    (command,) = [json.loads(line) for line in email.split("\n") if line.strip().startswith("{")]
    assert command == {"command": "retry", "graph": odd.graph}


def test_html_stays_text() -> None:
    message = compose(event(Verdict.FAILED, "<b>no</b> &amp; space", "<i>demo</i>"), "run-1", "p", True)
    assert "Detail:   <b>no</b> &amp; space\nGraph:    <i>demo</i> (" in message.texts["email"]


def test_ids_that_look_alike_stay_different() -> None:
    shown = set()
    for mark in ("\u200b", "\u200c", "\x00", "\x01", ""):
        odd = msgspec.structs.replace(event(Verdict.FAILED), id=f"a{mark}b")
        shown.add(json.loads(compose(odd, "run-1", "p", True).texts["default"])["event_id"])
    assert len(shown) == 5
