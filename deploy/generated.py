"""`make schema` writes these as well: deploy/iam/, deploy/terraform/ and the schema of template.yaml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ges_upgrader_cli.deploying.rights import POLICIES, policy
from ges_upgrader_cli.deploying.template import read_template, schema
from ges_upgrader_cli.deploying.terraform import terraform

FOLDER = Path(__file__).parent


def generated() -> dict[Path, str]:
    """The content of each file that is made from the template and from the table of rights."""
    template = read_template((FOLDER.parent / "template.yaml").read_text(), is_filled_in=False)
    made: dict[str, Any] = {f"iam/{name}.json": policy(name) for name in POLICIES}
    made |= {"terraform/main.tf.json": terraform(template), "template.schema.json": schema()}
    return {FOLDER / name: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for name, content in made.items()}


if __name__ == "__main__":
    for path, text in generated().items():
        path.write_text(text)
