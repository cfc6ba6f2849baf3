"""A log line never ends a run, shows no secret, and stays short."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ges_upgrader.log import MOST_LINE, start_log
from ges_upgrader.redaction import STARS, Secrets

if TYPE_CHECKING:
    from ges_upgrader.log import Log

SK = "wJ4/9xQm+Tz7LkV2bN8sRf6YhG1dPc3UoE5aXiKq"
SECRETS = Secrets.of([SK])


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError(SK)


class Revealing:
    def __str__(self) -> str:
        return f"the key is {SK}"


def line_of(capsys: pytest.CaptureFixture[str], say: Callable[[Log], object]) -> dict[str, Any]:
    """The one line that is logged, decoded."""
    capsys.readouterr()
    say(start_log("DEBUG", SECRETS, {"run_id": "run-1"}))
    text = capsys.readouterr().out
    assert text.isascii()
    assert text.count("\n") == 1
    assert len(text) <= MOST_LINE
    assert SK not in text
    return dict(json.loads(text))


def cyclic() -> list[Any]:
    circle: list[Any] = [{"in": []}]
    circle[0]["in"] += [circle, circle]
    return circle


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("图库 😀", "图库 😀"),
        ("half \ud83d", "half �"),
        ("two\nlines\x1b[0m", "two ⏎ lines�[0m"),
        (Unprintable(), "a Unprintable that cannot be shown"),
        (Revealing(), f"the key is {STARS}"),
        (float("nan"), "nan"),
        (10**5000, "a int that cannot be shown"),
        (b"\xff" + SK.encode(), f"b'\\xff{STARS}'"),
        ({3: Unprintable(), (1, SK): None}, {"3": "a Unprintable that cannot be shown", f"(1, '{STARS}')": None}),
        ({"a": [1, True, None, 2.5]}, {"a": [1, True, None, 2.5]}),
        ({"x"}, ["x"]),
    ],
    ids=["chinese", "half", "lines", "unprintable", "revealing", "nan", "number", "bytes", "keys", "nested", "set"],
)
def test_odd_value_is_shown(capsys: pytest.CaptureFixture[str], value: object, shown: object) -> None:
    assert line_of(capsys, lambda log: log.info("graph.decided", value=value))["value"] == shown


@pytest.mark.parametrize(
    "value",
    ["x" * 10**6, "😀" * 10**5, [["y" * 999] * 999] * 99, {f"key {n}" * 99: "图" * 999 for n in range(999)}, cyclic()],
    ids=["text", "astral", "lists", "mapping", "cycle"],
)
def test_huge_value_is_cut(capsys: pytest.CaptureFixture[str], value: object) -> None:
    line = line_of(capsys, lambda log: log.info("graph.decided", value=value, graph="demo"))
    assert (line["event"], line["run_id"], line["level"]) == ("graph.decided", "run-1", "info")
    assert "…" in json.dumps(line, ensure_ascii=False)


def test_secret_at_the_cut_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    for before in range(1950, 2010):
        line = line_of(capsys, lambda log, before=before: log.info("graph.decided", value="." * before + SK + "." * 100))  # type: ignore[misc]
        assert SK[:6] not in line["value"]


ANYTHING = st.recursive(
    st.text() | st.binary() | st.integers() | st.floats() | st.none() | st.builds(Unprintable) | st.just(f"<{SK}>"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.just(SK), inner) | st.tuples(inner),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=ANYTHING, text=st.text(st.characters(exclude_categories=())))
def test_any_value_is_one_line(capsys: pytest.CaptureFixture[str], value: object, text: str) -> None:
    assert line_of(capsys, lambda log: log.warning("graph.decided", value=value, text=text))["event"] == "graph.decided"


def test_traceback_has_its_end_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(log: Log) -> None:
        try:
            try:
                raise ValueError(SK[:20] + "\n" + SK[20:] + "." * 5000)
            except ValueError:
                raise KeyError("at the end", Unprintable()) from None
        except KeyError:
            log.error("run.crashed", exc_info=True)

    exception = line_of(capsys, fail)["exception"]
    assert exception.startswith("Traceback")
    assert "KeyError" in exception.splitlines()[-1]


def test_long_traceback_keeps_both_ends(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(log: Log) -> None:
        try:
            raise ValueError("first" + "." * 50_000 + SK[:20] + "\n" + SK[20:] + " last")
        except ValueError:
            log.error("run.crashed", exc_info=True)

    exception = line_of(capsys, fail)["exception"]
    assert exception.startswith("Traceback")
    assert exception.endswith(f"{STARS} last")


class Broken(io.StringIO):
    """A stdout that fails until it is mended."""

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self.failure: Exception | None = failure

    def flush(self) -> None:
        if self.failure:
            raise self.failure


@pytest.mark.parametrize("failure", [OSError(28, "full"), BrokenPipeError(), ValueError("closed"), RuntimeError()], ids=repr)
def test_lost_lines_are_counted(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    log = start_log("INFO", SECRETS, {})
    stdout = Broken(failure)
    monkeypatch.setattr(sys, "stdout", stdout)
    log.info("run.started")
    log.bind(graph="demo").info("graph.decided")
    stdout.failure = None
    log.info("run.ended")
    log.info("run.ended")
    counts = [json.loads(line).get("lines_lost") for line in stdout.getvalue().splitlines()]
    assert counts[-2:] == [2, None]


@pytest.mark.parametrize(
    "stdout", [None, object(), io.TextIOWrapper(io.BytesIO(), "ascii"), io.StringIO()], ids=lambda stdout: type(stdout).__name__
)
def test_unusable_stdout_ends_nothing(monkeypatch: pytest.MonkeyPatch, stdout: Any) -> None:
    if isinstance(stdout, io.StringIO):
        stdout.close()
    monkeypatch.setattr(sys, "stdout", stdout)
    log = start_log("INFO", SECRETS, {})
    log.info("run.started", graph="图库 😀 \ud83d")


def test_libraries_do_not_log_past_the_masks() -> None:
    """As the runtime may have it: a handler of its own at the root."""
    handler = logging.StreamHandler(io.StringIO())
    logging.getLogger().addHandler(handler)
    try:
        start_log("INFO", SECRETS, {})
        logging.getLogger("urllib3.connection").warning("Failed to parse headers: %s", SK)
    finally:
        logging.getLogger().removeHandler(handler)
    assert handler.stream.getvalue() == ""


@pytest.mark.parametrize(("level", "shown"), [("warning ", ["error"]), ("DEBUG", ["debug", "error"]), ("nonsense", ["error"])])
def test_level_of_the_log(capsys: pytest.CaptureFixture[str], level: str, shown: list[str]) -> None:
    log = start_log(level, SECRETS, {"function": None})
    log.debug("job.seen")
    log.error("error.reported")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["level"] for line in lines] == shown
    assert "function" not in lines[0]
