"""The template of a deployment, what is made from it, and the rights of the function."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from deploy.generated import generated
from ges_upgrader_cli.deploying.rights import OBS, POLICIES, PROJECT, policy
from ges_upgrader_cli.deploying.template import TemplateError, read_template
from ges_upgrader_cli.deploying.terraform import terraform
from huaweicloud_simulator.iam.actions import ACTIONS
from tests.cli.commands import run

TEXT = (Path(__file__).parents[2] / "template.yaml").read_text()
FILLED_IN = TEXT.replace('bucket: ""', "bucket: my-state")


def problems(old: str, new: str) -> list[str]:
    assert old in FILLED_IN
    with pytest.raises(TemplateError) as refused:
        read_template(FILLED_IN.replace(old, new))
    return [str(problem) for problem in refused.value.problems]


def test_filled_in_template_is_accepted() -> None:
    template = read_template(FILLED_IN)
    assert (template.function.handler, template.function.runtime, template.function.instances) == (
        "index.handler",
        "Python3.10",
        1,
    )
    assert template.parameters.bucket == "my-state"


def test_parameter_without_value_is_named() -> None:
    with pytest.raises(TemplateError, match=r"line \d+, column \d+: parameters.bucket: has no value; write"):
        read_template(TEXT)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("memory: 256", "memory: 257", "function.memory: "),
        ("runtime: Python3.10", "runtime: Python2.7", "function.runtime: "),
        ("  days: 90", "  dayz: 90", "logs.dayz: unknown field; "),
        ("failure_topic: ges-upgrades", "failure_topic: ges-releases", "write ges-upgrades"),
        ("results: ges-upgrades ", "results: ges-releases ", "each result would invoke it again"),
        ("CRON_TZ=UTC ", "", "timers[0].schedule: expected six fields of Cron after their zone"),
        ("* * * ?", "* * * ? 2026", "timers[0].schedule: "),
        ("LOG_LEVEL: INFO", "RUNTIME_CPU: '1'", "function.environment.RUNTIME_CPU: "),
        ("LOG_LEVEL: INFO", "HUAWEICLOUD_SDK_SK: x", "holds no secret"),
        ("LOG_LEVEL: INFO", f"NOTE: {'x' * 4100}", "POLICY_FILE"),
        ("operators: []", "operators: [nobody]", "parameters.operators[0]: "),
        ("version: 1", "version: 2", "version: "),
    ],
)
def test_wrong_value_is_named_with_its_place(old: str, new: str, words: str) -> None:
    found = problems(old, new)
    line = next(number for number, one in enumerate(FILLED_IN.splitlines(), 1) if old in one)
    assert any(one.startswith(f"line {line}, column ") and words in one for one in found)


def test_all_errors_are_shown_at_once() -> None:
    assert len(problems("memory: 256 ", "memory: 1\n  colour: red\n  timout: 3")) == 3


def test_generated_files_are_current() -> None:
    assert {path.name: path.read_text() == text for path, text in generated().items()} == {
        path.name: True for path in generated()
    }


def test_terraform_refers_only_to_what_it_declares() -> None:
    made = terraform(read_template(FILLED_IN))
    resources = {f"{kind}.{name}" for kind, named in made["resource"].items() for name in named}
    text = json.dumps(made)
    assert set(re.findall(r"(huaweicloud_\w+\.[\w-]+)[.\[]", text)) <= resources
    assert set(re.findall(r"var\.(\w+)", text)) == set(made["variable"])
    assert made["resource"]["huaweicloud_obs_bucket"]["state"].get("lifecycle_rule") is None


def test_terraform_takes_no_text_for_an_expression() -> None:
    changed = FILLED_IN.replace("Keeps GES graphs up to date", "'${var.x} %{if}'").replace("LOG_LEVEL: INFO", "NOTE: '${a}'")
    made = terraform(read_template(changed))["resource"]["huaweicloud_fgs_function"]["function"]
    assert made["description"] == "$${var.x} %%{if}"
    assert "$${a}" in made["user_data"]


def test_terraform_triggers_hold_what_functiongraph_takes() -> None:
    triggers = terraform(read_template(FILLED_IN))["resource"]["huaweicloud_fgs_function_trigger"]
    data = json.loads(triggers["hourly"]["event_data"])
    assert data["schedule"].startswith("CRON_TZ=") and data["schedule_type"] == "Cron"
    assert triggers["smn-releases"]["type"] == "SMN" and "status" not in triggers["smn-releases"]


def test_command_prints_terraform_without_changing_anything(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(TEXT)
    assert json.loads(run("terraform", str(file)).stdout)["variable"]["bucket"].get("default") is None
    file.write_text(TEXT.replace("memory: 256", "memory: 1"))
    refused = run("terraform", str(file))
    assert refused.exit_code == 1 and "function.memory" in refused.stderr


def test_no_policy_mixes_global_and_project_actions() -> None:
    for name, (kind, needs) in POLICIES.items():
        services = {action.partition(":")[0] for need in needs for action in need.actions}
        assert (services <= {"obs", "iam"}) == (kind == "AX"), name
        assert len(policy(name)["Statement"]) <= 8  # of IAM


def test_every_action_is_one_that_some_call_needs() -> None:
    known = {action for actions in ACTIONS.values() for action in actions}
    named = [action for need in (*PROJECT, *OBS) for action in need.actions]
    assert set(named) <= known and len(named) == len(set(named))
    assert {"obs:bucket:ListBucket", "ges:backup:delete"} <= set(named)


def test_rights_name_the_function_and_the_bucket() -> None:
    """FUNCTIONGRAPH and FUNCTION_NAME share letters, and a prefix may look like a placeholder."""
    rights = [*policy("project", function_name="up")["Statement"], *policy("obs", bucket="b", prefix="BUCKET")["Statement"]]
    assert [one["Resource"] for one in rights if "Resource" in one] == [
        ["FUNCTIONGRAPH:*:*:function:default/up"],
        ["obs:*:*:object:b/BUCKET/*"],
        ["obs:*:*:bucket:b"],
    ]
