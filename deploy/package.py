"""dist/function.zip: the function and what it needs at run time, the same bytes from the same inputs.

One zip serves every Python of FunctionGraph: msgspec's extension is taken for each of them, side by side, since the name
of the file carries the Python it is for; everything else is pure Python. Of huaweicloudsdkcore only the signer goes in.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
WHEELS = ROOT / "build" / "wheels"
TARGET = ROOT / "dist" / "function.zip"
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
PLATFORM = "manylinux2014_x86_64"
BUDGET = 6 * 1024 * 1024
LONG_AGO = (1980, 1, 1, 0, 0, 0)

_COMPILED = ("msgspec",)
_SIGNER = (
    "huaweicloudsdkcore/__init__.py",
    "huaweicloudsdkcore/exceptions/",
    "huaweicloudsdkcore/sdk_request.py",
    "huaweicloudsdkcore/signer/",
    "huaweicloudsdkcore/utils/__init__.py",
    "huaweicloudsdkcore/utils/six_utils.py",
)
_NOT_NEEDED = ("pyasn1/compat/tests", "/tests/", "/testing/", ".pyi", "py.typed")


def main() -> None:
    requirements = (ROOT / "requirements.txt").read_text()
    download(requirements)
    files = {**dependencies(), **own()}
    TARGET.parent.mkdir(exist_ok=True)
    write(TARGET, files)
    size = TARGET.stat().st_size
    print(f"{TARGET.relative_to(ROOT)}: {len(files)} files, {size:,} bytes ({size / BUDGET:.0%} of the budget)")
    if size > BUDGET:
        sys.exit(f"the zip is over its budget of {BUDGET:,} bytes")


def download(requirements: str) -> None:
    """The pinned wheels, kept in build/ so that the next package needs no network."""
    done = WHEELS / "requirements.txt"
    if done.exists() and done.read_text() == requirements:
        return
    WHEELS.mkdir(parents=True, exist_ok=True)
    for old in WHEELS.iterdir():
        old.unlink()
    pins = [line for line in requirements.splitlines() if line and not line.startswith("#")]
    _pip(pins, PYTHONS[0])
    compiled = [pin for pin in pins if pin.split("==")[0] in _COMPILED]
    for python in PYTHONS[1:]:
        _pip(compiled, python)
    done.write_text(requirements)


def _pip(pins: Iterable[str], python: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--platform", PLATFORM, "--python-version", python]
    command += ["--implementation", "cp", "--abi", f"cp{python.replace('.', '')}", "--abi", "abi3", "--abi", "none"]
    subprocess.run([*command, "--dest", str(WHEELS), *pins], check=True)


def dependencies() -> dict[str, bytes]:
    """The files of the wheels that the function can need, by their place in the zip; the licences in one folder."""
    files: dict[str, bytes] = {}
    for wheel in sorted(WHEELS.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                place = _place(name, wheel.name.split("-")[0])
                if place is not None:
                    files[place] = archive.read(name)
    return files


def _place(name: str, package: str) -> str | None:
    folder, _, rest = name.partition("/")
    if folder.endswith(".dist-info"):
        licence = any(word in rest.upper() for word in ("LICENSE", "LICENCE", "COPYING", "NOTICE"))
        return f"licenses/{package}/{Path(rest).name}" if licence and not rest.endswith("/") else None
    if name.endswith("/") or any(part in name for part in _NOT_NEEDED):
        return None
    if name.endswith(".so") and folder not in _COMPILED:
        return None
    if folder == "huaweicloudsdkcore" and not name.startswith(_SIGNER):
        return None
    return name


def own() -> dict[str, bytes]:
    """Everything in function/ that git would keep."""
    source = ROOT / "function"
    names = (path.relative_to(source) for path in source.rglob("*") if path.is_file())
    kept = (name for name in names if not any(part.startswith((".", "__pycache__")) for part in name.parts))
    return {name.as_posix(): (source / name).read_bytes() for name in kept}


def write(target: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])


if __name__ == "__main__":
    main()
