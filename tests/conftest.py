"""Shared by all tests."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None, max_examples=100)
settings.load_profile("default")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Policies, keys and addresses of the machine that runs the tests must not reach the function."""
    import os

    for name in list(os.environ):
        if name.startswith(("HUAWEICLOUD_SDK_", "POLICY")) or name in ("REGION", "LOG_LEVEL"):
            monkeypatch.delenv(name)
