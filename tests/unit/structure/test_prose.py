"""Documents are read at 3 a.m., and not only by native speakers: sentences stay short. Tables and code do not count."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted([*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")), *(ROOT / "docs").rglob("*.md")])
MOST_WORDS = 20.0  # a sentence, on average


def sentences(markdown: str) -> list[str]:
    """The sentences of the prose. Only a full stop, `!`, `?` or a heading ends one, so items of a list need a full stop."""
    prose = re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"`[^`]+`", "code", prose)
    parts = re.split(r"^#.*$", re.sub(r"^\s*(\||<|!\[).*$", "", prose, flags=re.MULTILINE), flags=re.MULTILINE)
    return [sentence for part in parts for sentence in re.split(r"[.!?](?:\s|$)", part) if re.search(r"\w", sentence)]


def words(sentence: str) -> int:
    return sum(any(character.isalnum() for character in word) for word in sentence.split())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_sentences_are_short(document: Path) -> None:
    found = sentences(document.read_text())
    average = sum(map(words, found)) / len(found)
    longest = max(found, key=words).strip()
    assert average <= MOST_WORDS, f"{average:.1f} words a sentence; the longest: {longest}"


def test_prose_is_found_between_code_and_tables() -> None:
    text = "# Title\n\nOne two. Three `a. b`\nfour.\n\n| a. b. |\n|---|\n\n```\nnot this.\n```\n- five six.\n\n## Next\n\nseven"
    assert [part.split() for part in sentences(text)] == [
        ["One", "two"],
        ["Three", "code", "four"],
        ["-", "five", "six"],
        ["seven"],
    ]
