"""docs/try.svg: what `ges-upgrader try` shows, as rich draws it, the same from the same code."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "try.svg"
sys.path.insert(0, str(ROOT / "function"))

_FONTS = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)  # rich names a server of fonts; a document needs none


def recording() -> str:
    """The picture as SVG."""
    from rich._export_format import CONSOLE_SVG_FORMAT
    from rich.console import Console

    from ges_upgrader_cli.verbs.demonstration import Story, table_of, timeline_of

    out = Console(record=True, width=88, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    story = Story()
    for _ in story.tell():
        pass
    out.print("$ ges-upgrader try\n")
    for line in timeline_of(story):
        out.print(line)
    out.print()
    out.print(table_of(story))
    out.print(f"\n{story.summary}", style="bold", highlight=False)
    drawn = out.export_svg(title="ges-upgrader try", code_format=_FONTS.sub("", CONSOLE_SVG_FORMAT), unique_id="try")
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"


def main() -> None:
    TARGET.write_text(recording(), encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
