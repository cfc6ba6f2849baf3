"""Whether a statement of Cypher only reads. A tokenizer decides, so that quotes, comments and odd spellings hide nothing. Pure.

A health check runs on a production graph, more than once. When in doubt a statement is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# Clauses that write, call procedures or read files. GES's own manual lists the writing ones (ges.md 2.8); the others are
# those of openCypher and its dialects.
REFUSED = frozenset(
    {"ALTER", "CALL", "CREATE", "DELETE", "DENY", "DETACH", "DROP", "FOREACH", "GRANT", "INSERT", "LOAD", "MERGE"}
    | {"NODETACH", "REMOVE", "RENAME", "REVOKE", "SET"}
)

# A number takes its point along, so that a word behind it does not pass for a property. What follows digits is a word again,
# as for engines that read `1SET` as two.
_TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/)
    | (?P<text>'(?:[^'\\]|\\[^uU])*'|"(?:[^"\\]|\\[^uU])*")
    | (?P<quoted>`(?:[^`]|``)*`)
    | (?P<number>\d+(?:\.(?!\.))?)
    | (?P<word>\$?[^\W\d]\w*)
    | (?P<sign>\.\.|(?!/\*)[^\w\s'"`\\])
    """,
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str


def problem(statement: str) -> str | None:
    """Why the statement may not serve as a health check; None: it only reads."""
    tokens = list(_tokens(statement))
    if not tokens:
        return "it is empty"
    if tokens[-1].kind == "broken":
        return f"it cannot be read from {tokens[-1].text[:20]!r} on: a quote or comment that does not end, or a sign of no use"
    if any(token.text == ";" for token in tokens[:-1]):
        return "it is more than one statement"
    return next((f"{token.text} may write, or reach beyond the graph" for token in _clauses(tokens)), None)


def _tokens(statement: str) -> Iterator[_Token]:
    """The tokens without space and comments. What is none is the last, of the kind `broken`."""
    at = 0
    while at < len(statement):
        found = _TOKEN.match(statement, at)
        if found is None or not _visible(found[0]):
            yield _Token("broken", statement[at:])
            return
        at = found.end()
        if found.lastgroup != "space":
            yield _Token(str(found.lastgroup), found[0])


def _visible(token: str) -> bool:
    """A character that cannot be seen may split a word for us that is whole for the engine."""
    return all(one.isprintable() or one in "\t\n\r" for one in token)


def _clauses(tokens: list[_Token]) -> Iterator[_Token]:
    """The words that are refused, wherever they may stand for a clause: names of properties, labels and parameters may not."""
    before = _Token("sign", "")
    for token in tokens:
        named = before.text in (".", ":")
        if token.kind == "word" and not named and token.text.upper() in REFUSED:
            yield token
        before = token
