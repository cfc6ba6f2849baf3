"""Every command and policy in README.md and docs/recipes.md, run as they stand."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from deploy.screenshots import TARGET, recording
from ges_upgrader.policy.parsing import parse_policy
from tests.builders import PROJECT_ID
from tests.cli.commands import run

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "docs/recipes.md")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [
        text for name in DOCUMENTS for found, text in BLOCK.findall((ROOT / name).read_text(encoding="utf-8")) if found == kind
    ]


def commands() -> list[tuple[str, str]]:
    """Each command with the line that is shown after it, empty if none is."""
    found: list[tuple[str, str]] = []
    for lines in (block.splitlines() for block in blocks("console")):
        for number, line in enumerate(lines):
            if line.startswith("$ ges-upgrader "):
                following = lines[number + 1] if number + 1 < len(lines) else ""
                found.append((line.removeprefix("$ ges-upgrader "), "" if following.startswith("$") else following))
    return found


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize(("command", "first"), commands(), ids=[command.split()[0] for command, _ in commands()])
def test_command_of_the_documents(
    command: str, first: str, columns: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    ran = run(*command.split(), columns=columns)
    assert ran.exit_code == 0, ran.output
    shown = " ".join(ran.stdout.split())
    assert re.match(".*".join(map(re.escape, " ".join(first.split()).split("…"))), shown), shown[:200]


def test_five_questions_are_answered() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [line for line in readme.splitlines() if line.endswith("?")] == [
        *("Is my policy right?", "What happens next Saturday?", "Why not tonight?"),
        *("What happened last night?", "What would this change do?"),
    ]


@pytest.mark.parametrize("text", [text for text in blocks("yaml") if "notify:" in text])
def test_policy_of_the_documents(text: str) -> None:
    parse_policy(text.replace("<project_id>", PROJECT_ID).replace("<bucket>", "my-bucket"))


def test_picture_shows_graphs_and_summary() -> None:
    """Wordings of messages may be older in it: `make screenshots` draws it again."""
    drawn, now = (_words(svg) for svg in (TARGET.read_text(encoding="utf-8"), recording()))
    table = re.search(r"rule +graph", now)
    assert table is not None and now[table.start() :] in drawn


def _words(svg: str) -> str:
    """The text of a picture."""
    return html.unescape(" ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg))).replace("\xa0", " ")
