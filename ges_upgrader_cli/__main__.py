"""The entry point of `ges-upgrader`, and `python -m ges_upgrader_cli`."""

from __future__ import annotations

import sys
from io import TextIOWrapper

_LIBRARIES = ("rich", "typer")


def main() -> None:
    try:
        from ges_upgrader_cli.app import app
    except ModuleNotFoundError as error:
        if error.name not in _LIBRARIES:
            raise
        sys.exit(f"ges-upgrader: the command line needs {error.name}: pip install 'ges-upgrader[cli]'")
    for stream in (sys.stdout, sys.stderr):  # a terminal that knows no Chinese still shows the rest
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="ges-upgrader")


if __name__ == "__main__":
    main()
