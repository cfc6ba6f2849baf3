"""Shared by all tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import Phase, settings

settings.register_profile("default", deadline=None, max_examples=100)
settings.register_profile("thorough", deadline=None, max_examples=5000)
# For `make mutants`: a mutant need only be found, not explained.
settings.register_profile("mutants", deadline=None, max_examples=100, derandomize=True, phases=[Phase.explicit, Phase.generate])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Policies, keys and addresses of the machine that runs the tests must not reach the function."""
    for name in list(os.environ):
        if name.startswith(("HUAWEICLOUD_SDK_", "POLICY")) or name in ("REGION", "LOG_LEVEL"):
            monkeypatch.delenv(name)
