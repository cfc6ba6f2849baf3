"""SIGKILL of processes that write the same `file://` journal: nothing that was acknowledged is lost, nothing is damaged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from ges_upgrader.journal.segments import Journal
from ges_upgrader.journal.storage import Folder
from tests.builders import NOW

ROOT = Path(__file__).parents[2]
WRITER = """
import itertools, sys
from datetime import timedelta
from pathlib import Path
from tests.builders import NOW
from ges_upgrader.journal.segments import Journal
from ges_upgrader.history.records import Noticed, Told
from ges_upgrader.journal.storage import Folder

folder, writer = Path(sys.argv[1]), sys.argv[2]
journal = Journal(Folder(folder))
for number in itertools.count():
    name = f"{writer}-{number}"
    journal.write(Noticed(at=NOW, notice_id=name, text="x" * (number % 5000)))
    print(name, flush=True)
    journal.write(Told(at=NOW, event_id=f"told-{name}", message_id=""))
    if number % 20 == 19:
        journal.tidy(NOW + timedelta(days=30), timedelta(days=1))
"""


@pytest.mark.parametrize("rounds", range(3))
def test_what_a_killed_process_was_told_is_written_is_there(tmp_path: Path, rounds: int) -> None:
    acknowledged: set[str] = set()
    path = os.pathsep.join([str(ROOT), str(ROOT / "function")])
    for generation in range(2):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(tmp_path), f"{rounds}{generation}{number}"],
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": path},
            )
            for number in range(3)
        ]
        for number, writer in enumerate(writers):
            assert writer.stdout is not None
            for _ in range(23 + 17 * number + 5 * rounds):
                acknowledged.add(writer.stdout.readline().strip())
            writer.send_signal(signal.SIGKILL)
            acknowledged.update(filter(None, (line.strip() for line in writer.stdout)))
            assert writer.wait() == -signal.SIGKILL
            writer.stdout.close()
    journal = Journal(Folder(tmp_path))
    journal.refresh()
    assert len(acknowledged) > 200
    assert acknowledged <= set(journal.history.outbox.pending_ids())
    assert all(
        "truncated" in damage.why for damage in journal.history.controls.damages.values()
    )  # what a kill broke off, and told
    journal.tidy(NOW + timedelta(days=60), timedelta(days=1))
    assert acknowledged <= set(journal.history.outbox.pending_ids())
