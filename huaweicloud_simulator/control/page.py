"""The page at `/`: what is served, how to reach it, and the control API."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from ..cloud import ACCESS_KEY, SECRET_KEY, Cloud
from ..wire import Response

_STYLE = (
    "body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "code,pre{background:#f3f3f3;padding:.1rem .3rem}td{padding:.2rem .8rem .2rem 0;vertical-align:top}"
)


def index(cloud: Cloud, url: str, endpoints: Mapping[str, str]) -> Response:
    projects = "".join(
        f"<tr><td>{escape(one.region)}</td><td><code>{escape(one.id)}</code></td>"
        f"<td>{len(one.graphs)} graphs, {len(one.topics)} topics</td></tr>"
        for one in cloud.projects.values()
    )
    rows = "".join(f"<tr><td><code>{escape(name)}</code></td><td>{escape(text)}</td></tr>" for name, text in endpoints.items())
    html = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Simulated Huawei Cloud</title><style>{_STYLE}</style>"
        "<h1>A simulated Huawei Cloud</h1>"
        "<p>It serves GES, SMN, OBS, IAM, STS, FunctionGraph and LTS at this address; the path decides. "
        f"The clock shows {cloud.clock.now():%Y-%m-%d %H:%M:%S} UTC.</p>"
        f"<table>{projects}</table>"
        f"<h2>How to point a function or an SDK at it</h2><pre>{escape(exports(cloud, url))}</pre>"
        f"<h2>Control</h2><table>{rows}</table>"
        f"<pre>curl {url}/_control/graphs</pre></html>"
    )
    return Response(200, html.encode(), {"Content-Type": "text/html; charset=utf-8"})


def exports(cloud: Cloud, url: str) -> str:
    """The variables for the first project's region."""
    project = next(iter(cloud.projects.values()), None)
    region = project.region if project else "cn-north-4"
    suffix = region.upper().replace("-", "_")
    variables = {f"HUAWEICLOUD_SDK_REGION_{service}_{suffix}": url for service in ("GES", "SMN", "OBS", "FUNCTIONGRAPH")}
    variables |= {"HUAWEICLOUD_SDK_IAM_ENDPOINT": url, "HUAWEICLOUD_SDK_AK": ACCESS_KEY, "HUAWEICLOUD_SDK_SK": SECRET_KEY}
    variables |= {"HUAWEICLOUD_SDK_PROJECT_ID": project.id} if project else {}
    return "\n".join(f"export {name}={value}" for name, value in variables.items())
