"""What the product says must stand in its documents."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ges_upgrader.domain.model import Reason, Verdict
from ges_upgrader.policy.parsing import parse_policy
from tests.builders import PROJECT_ID

TOP = Path(__file__).parents[3]
OPERATING = (TOP / "docs" / "operating.md").read_text()


@pytest.mark.parametrize("word", [*Reason, *Verdict])
def test_every_reason_and_outcome_is_explained(word: Reason | Verdict) -> None:
    assert f"| `{word.value}` |" in OPERATING


def test_the_template_sets_up_one_instance_with_a_policy_that_is_accepted() -> None:
    (service,) = yaml.safe_load((TOP / "template.yaml").read_text())["services"].values()
    function = service["props"]["function"]
    assert (function["handler"], function["runtime"]) == ("index.handler", "Python3.10")
    assert (function["concurrency"], function["concurrentNum"]) == (1, 1)
    text = function["environmentVariables"]["POLICY"].replace("<project_id>", PROJECT_ID).replace("<bucket>", "my-bucket")
    assert parse_policy(text).state.bucket == "my-bucket"
