"""`python -m deploy.package`: dist/function.zip, as `ges-upgrader package` writes it, without the command line's libraries."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "function"))

from ges_upgrader_cli.packaged.zip import BUDGET, TARGET, PackageError, package  # noqa: E402


def main() -> None:
    try:
        files = package(TARGET)
    except PackageError as error:
        sys.exit(str(error))
    size = TARGET.stat().st_size
    print(f"{TARGET.relative_to(ROOT)}: {files} files, {size:,} bytes ({size / BUDGET:.0%} of the budget)")


if __name__ == "__main__":
    main()
