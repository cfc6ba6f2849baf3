"""The last line of defence: what the handler returns, whatever the run put into it."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ges_upgrader.domain.model import Action
from ges_upgrader.redaction import STARS, Secrets
from ges_upgrader.running.results.sizes import presentable

SK = "wJ4/9xQm+Tz7LkV2bN8sRf6YhG1dPc3UoE5aXiKq"
SECRETS = Secrets.of([SK])
TEXT = st.text(st.characters(exclude_categories=()) | st.sampled_from("\n\x1b\u202e\ud83d")) | st.just(f"<{SK}>")
CONTENT = st.recursive(TEXT | st.integers() | st.none() | st.booleans(), lambda of: st.lists(of) | st.dictionaries(TEXT, of))


@given(CONTENT, st.lists(TEXT))
def test_any_result_can_be_returned(content: Any, errors: list[str]) -> None:
    result = presentable({"content": content, "errors": errors}, SECRETS)
    text = json.dumps(result, ensure_ascii=False).encode().decode()
    assert SK not in text
    assert not [char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert len(result["errors"]) == len(errors)
    assert not [error for error in result["errors"] if "\n" in error]


def test_ordinary_result_is_unchanged() -> None:
    result = {
        "decisions": [{"graph": "图库 😀", "action": Action.WAIT, "until": None}],
        "notified": 1,
        "errors": ["policy: no"],
    }
    assert presentable(result, SECRETS) == result


def test_secrets_are_masked_in_values_and_keys() -> None:
    result = presentable({"state": {SK: [SK]}, "errors": [f"bad\n{SK}"]}, SECRETS)
    assert result == {"state": {STARS: [STARS]}, "errors": [f"bad ⏎ {STARS}"]}
