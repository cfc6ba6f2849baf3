"""Every message of the corpus reads as the corpus says."""

from __future__ import annotations

import pytest

from ges_upgrader.domain.plain_text import plain
from ges_upgrader.events.commands import command
from ges_upgrader.events.meanings import Unclear
from ges_upgrader.events.smn import Trust, read_smn
from tests.announcements.corpus import Sample, in_words, samples
from tests.builders import NOW, RELEASES_TOPIC, TOPIC

SAMPLES = list(samples())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.theme}: {sample.text[:60]!r}")
def test_sample_reads_as_written(sample: Sample) -> None:
    assert in_words(sample.read()) == sample.reading


def test_corpus_is_large_and_mixed() -> None:
    assert len({(sample.text, sample.subject, sample.named_topic) for sample in SAMPLES}) > 1000
    kinds = {sample.reading.split()[0].strip(",") for sample in SAMPLES}
    assert kinds == {"announces", "withdraws", "unclear", "foreign"}


@pytest.mark.parametrize("theme", sorted({sample.theme for sample in SAMPLES}))
def test_event_teaches_what_its_messages_announce(theme: str) -> None:
    """All messages of a theme in one event: each is judged by itself."""
    for named in (True, False):
        chosen = [sample for sample in SAMPLES if sample.theme == theme and sample.named_topic == named]
        records = [
            {"smn": {"topic_urn": RELEASES_TOPIC, "message": sample.text, "subject": sample.subject}} for sample in chosen
        ]
        task = read_smn({"record": records}, Trust([RELEASES_TOPIC] if named else None, TOPIC), NOW)
        announcing = [sample for sample in chosen if sample.reading.startswith("announces") and "dry run" not in sample.reading]
        assert len(task.releases) == len(announcing)
        assert task.foreign == sum(sample.reading == "foreign" for sample in chosen)


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample.reading.startswith("unclear")], ids=lambda one: "")
def test_unclear_message_names_its_commands(sample: Sample) -> None:
    record = {"smn": {"topic_urn": RELEASES_TOPIC, "message": sample.text, "subject": sample.subject}}
    (notice,) = read_smn({"record": [record]}, Trust([RELEASES_TOPIC] if sample.named_topic else None, TOPIC), NOW).notices
    reading = sample.read()
    assert isinstance(reading, Unclear)
    assert plain(reading.why, 400) in notice.text
    for version in reading.named:
        assert command("release", version=version.text) in notice.text
        assert command("withdraw", version=version.text) in notice.text
    assert notice.text.encode()
