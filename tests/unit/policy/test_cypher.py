"""A health check's statement reads, or it is refused, however it is spelled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ges_upgrader.policy.cypher import REFUSED, problem

READING = [
    "MATCH (n) RETURN count(n)",
    "MATCH (n:Set) RETURN n.set, $create",
    "OPTIONAL MATCH (n)-[*1..3]->(m) WITH n UNWIND [1.5, 2.] AS x RETURN n, x",
    "MATCH (n) WHERE n.name = 'SET it''s' OR n.name = \"DELETE \\\" x\" RETURN n // CREATE",
    "MATCH (n) /* MERGE */ RETURN n;",
    "MATCH (`SET`) RETURN `SET`.a AS 名称",
    "MATCH (settings:Created) RETURN settings.deleted",
]
WRITING = [
    "MATCH (n) SET n.a = 1",
    "match (n) dElEtE n",
    "MATCH (n) /* x */DETACH DELETE n",
    "MATCH (n) WHERE n.a = 1.SET n.b = 2",
    "MATCH (n) WHERE n.a = 1SET n.b = 2",
    "MATCH (n) \u017fet n.a = 1",
    "MATCH (a)-[:KNOWS|CREATE]->(b) RETURN b",
    "CALL db.labels()",
    "CALL { MATCH (n) RETURN n } RETURN n",
    "LOAD CSV FROM 'https://example.com/x' AS row RETURN row",
    "FOREACH (x IN [1] | CREATE (n))",
]
UNREADABLE = [
    "MATCH (n) WHERE n.a = '\\u0027 SET n.b = 1 //'",
    "MATCH (n) RETURN 'open",
    "MATCH (n) RETURN n /* open",
    "MATCH (n) S\u200bET n.a = 1",
    "MATCH (n) \\u0053ET n.a = 1",
    "MATCH (n) RETURN n; MATCH (m) RETURN m",
    "",
    "// only a comment",
]


@pytest.mark.parametrize("statement", READING)
def test_reading_statement_passes(statement: str) -> None:
    assert problem(statement) is None


@pytest.mark.parametrize("statement", WRITING)
def test_writing_statement_is_refused(statement: str) -> None:
    assert "may write, or reach beyond the graph" in str(problem(statement))


@pytest.mark.parametrize("statement", UNREADABLE)
def test_unreadable_statement_is_refused(statement: str) -> None:
    assert problem(statement)


@given(
    st.sampled_from(sorted(REFUSED)),
    st.lists(st.booleans(), min_size=9, max_size=9),
    st.sampled_from([" ", "\n", "/**/", ")", "1 "]),
)
def test_clause_is_found_in_any_spelling(word: str, upper: list[bool], before: str) -> None:
    spelled = "".join(letter if high else letter.lower() for letter, high in zip(word, upper))
    assert problem(f"MATCH (n{before if before != ')' else ''}){before if before == ')' else ' '}{spelled} (m)")


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    found = problem(text)
    assert found is None or found


@given(st.text(alphabet="SETset'\"`\\/*\n.: u0053;n1", max_size=40))
def test_hidden_clause_never_passes(text: str) -> None:
    """Appended to a text that passes, where it is within no quote, comment or name, a clause is always found."""
    if problem(text) is None:
        assert problem(f"{text}\n 1 SET n.a = 1")
