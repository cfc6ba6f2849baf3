"""dist/function.zip: the function and what it needs at run time, the same bytes from the same inputs.

One zip serves every Python of FunctionGraph: msgspec's extension is taken for each of them, side by side, since the name
of the file carries the Python it is for; everything else is pure Python. Of huaweicloudsdkcore only the signer goes in.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

from ges_upgrader_cli.packaged.files import IS_CHECKOUT, own, requirements

ROOT = Path(__file__).parents[2]
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ges-upgrader"
WHEELS = (ROOT / "build" if IS_CHECKOUT else _CACHE) / "wheels"
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


class PackageError(Exception):
    """The zip cannot be made; the message says what to do."""


def package(target: Path) -> int:
    """Writes the zip; the number of its files. Raises PackageError."""
    download(requirements())
    files = {**dependencies(), **own()}
    target.parent.mkdir(parents=True, exist_ok=True)
    write(target, files)
    size = target.stat().st_size
    if size > BUDGET:
        raise PackageError(f"the zip has {size:,} bytes and is over its budget of {BUDGET:,} bytes")
    return len(files)


def download(pinned: str) -> None:
    """The pinned wheels, kept so that the next package needs no network: in build/, or in the user's cache."""
    done = WHEELS / "requirements.txt"
    if done.exists() and done.read_text() == pinned:
        return
    WHEELS.mkdir(parents=True, exist_ok=True)
    for old in WHEELS.iterdir():
        old.unlink()
    pins = [line for line in pinned.splitlines() if line and not line.startswith("#")]
    _pip(pins, PYTHONS[0])
    compiled = [pin for pin in pins if pin.split("==")[0] in _COMPILED]
    for python in PYTHONS[1:]:
        _pip(compiled, python)
    done.write_text(pinned)


def _pip(pins: Iterable[str], python: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--platform", PLATFORM, "--python-version", python]
    command += ["--implementation", "cp", "--abi", f"cp{python.replace('.', '')}", "--abi", "abi3", "--abi", "none"]
    ran = subprocess.run([*command, "--dest", str(WHEELS), *pins], capture_output=True, text=True, check=False)
    if ran.returncode:
        reason = (ran.stderr.strip() or "pip gave no reason").splitlines()[-1]
        raise PackageError(f"the wheels of the function cannot be downloaded for Python {python}: {reason}")


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


def write(target: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
