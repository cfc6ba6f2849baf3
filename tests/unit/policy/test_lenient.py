"""A policy that is refused still says whom to notify, and where the journal is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ges_upgrader.policy.lenient import legible
from tests.builders import TOPIC

OTHER = TOPIC.replace("upgrades", "releases")


def read(text: str) -> tuple[str | None, str | None]:
    found = legible(text)
    return found.notify.urn if found.notify else None, found.state.text if found.state else None


@pytest.mark.parametrize(
    "text",
    [
        f"notify: {TOPIC}\nstate: obs://bucket/x\nrules: [{{windws: always}}]",
        f"notify: {{topic: '{TOPIC}', on: [nonsense]}}\nstate: obs://bucket/x\nrules: 5",
        f"notify: {TOPIC}\nstate: obs://bucket/x\nrules: [",
        f"notify: {TOPIC}\nstate: obs://bucket/x\nrules:\n\t- name: x",
        f"notify: '{TOPIC}'   # ours\nstate: 'obs://bucket/x'\nrules: [{{versions: >=2.4, <3}}]",
        f"notify:\n  topic: {TOPIC}\n  on: [failed\nstate: obs://bucket/x",
        f"notify: {{topic: {TOPIC}}}\nstate: obs://bucket/x\nrules: [}}]",
        f"# notify: {OTHER}\nnotify: {TOPIC}\nstate: obs://bucket/x\nrules: ]",
        f"notify: {TOPIC}\nstate: obs://bucket/x\nrules: [{{name: *}}]",
        f"notify: {TOPIC}\nstate: obs://bucket/x\n---\nrules: [{{}}]",
        f"notify: {TOPIC}\nnotify: {TOPIC}\nstate: obs://bucket/x\nrules: [{{}}]",
        f"notify: {TOPIC}\nstate: obs://bucket/x\nfreezes: [{{when: Sat, allow: {{state: none}}}}]\nrules: [{{}}]",
        f"notify：{TOPIC}\nstate: obs://bucket/x\nrules: [",
        f'{{"notify": "{TOPIC}", "state": "obs://bucket/x", "rules": [}}',
        f'{{"rules": [}}, "state":"obs://bucket/x","notify":{{"topic":"{TOPIC}"}}}}',
        f'{{\n  "notify": "{TOPIC}",\n  "state": "obs://bucket/x",\n  "rules": [\n}}',
        f"notify: {TOPIC}\nstate: obs://bucket/x\nrules: [] \ufffd\ufffd\x00",
    ],
)
def test_what_can_be_read_is_read(text: str) -> None:
    assert read(text) == (TOPIC, "obs://bucket/x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "rules: [",
        "notify: 5\nstate: bucket\nrules: [",
        f"# notify: {TOPIC}\nrules: [",
        f"  other: {{notify: {TOPIC}\nrules: [",
        f"releases: {TOPIC}\nrules: [",
        f"do_not_notify: {TOPIC}\nrules: [",
        f"notify: {TOPIC}\nnotify: {OTHER}\nrules: [{{}}]",
        "notify: urn:smn:cn-north-4:<project_id>:ges-upgrades\nrules: [",
    ],
)
def test_what_is_not_certain_is_not_taken(text: str) -> None:
    assert read(text) == (None, None)


@given(st.text() | st.lists(st.sampled_from(["notify", "state", ":", "{", "}", " ", "\n", TOPIC, '"', ","])).map("".join))
def test_no_text_is_a_fault(text: str) -> None:
    legible(text)
