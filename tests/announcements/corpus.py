"""The corpus: files by theme, each a mapping from a reading to the messages that must read so.

A message is its text, or a mapping with `text`, `subject` and `named_topic`. Readings in words: `announces 2.4.15 in
cn-north-4 as a dry run`, `withdraws 2.4.16`, `unclear`, `unclear, may withdraw 2.4.16`, `foreign`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from ges_upgrader.events.announcements import read_announcement
from ges_upgrader.events.meanings import Announced, Foreign, Meaning, Unclear, Withdrawal
from tests.builders import NOW

FOLDER = Path(__file__).parent


class Sample(NamedTuple):
    """A message of the corpus. `named_topic`: the policy's `release_topics` names its topic."""

    theme: str
    reading: str
    text: str
    subject: str = ""
    named_topic: bool = False

    def read(self) -> Meaning:
        return read_announcement(self.text, self.subject, NOW, self.named_topic)


def samples() -> Iterator[Sample]:
    for path in sorted(FOLDER.glob("*.yaml")):
        for reading, messages in yaml.safe_load(path.read_text()).items():
            for message in messages:
                given = message if isinstance(message, dict) else {"text": message}
                yield Sample(path.stem, reading, **given)


def in_words(reading: Meaning) -> str:
    """A reading as the corpus writes it."""
    if isinstance(reading, Announced):
        regions = sorted({region for release in reading.releases for region in release.regions})
        versions = ", ".join(release.version.text for release in reading.releases)
        return f"announces {versions}{' in ' if regions else ''}{', '.join(regions)}{_dry(reading.dry_run)}"
    if isinstance(reading, Withdrawal):
        return f"withdraws {', '.join(version.text for version in reading.versions)}{_dry(reading.dry_run)}"
    if isinstance(reading, Unclear):
        questioned = ", ".join(version.text for version in reading.questioned)
        return f"unclear, may withdraw {questioned}" if questioned else "unclear"
    assert isinstance(reading, Foreign)
    return "foreign"


def _dry(dry_run: bool) -> str:
    return " as a dry run" if dry_run else ""
