"""The policies of the demonstration: one with waves, windows and approval, and one whose windows are always open."""

from __future__ import annotations

from huaweicloud_simulator import demo

_HEAD = f"""\
notify: {demo.NOTIFY_TOPIC}
state: obs://{demo.BUCKET}/journal
release_topics: [{demo.RELEASES_TOPIC}]
"""
POLICY = f"""\
{_HEAD}rules:
  - name: canary
    match: {{name: dev_movies}}
  - name: dev
    match: {{tags: {{env: dev}}}}
  - name: staging
    match: {{tags: {{env: staging}}}}
    after: [canary]
    soak: 24h
  - name: prod
    match: {{tags: {{env: prod}}}}
    mode: approve
    windows: ["Sat 02:00-06:00 Asia/Shanghai"]
    after: [staging]
    soak: 48h
"""
OPEN_POLICY = f"""\
{_HEAD}rules:
  - {{name: dev, match: {{tags: {{env: dev}}}}, max_concurrent: 2, max_failures: 2}}
  - {{name: staging, match: {{tags: {{env: staging}}}}, after: [dev]}}
  - {{name: prod, match: {{tags: {{env: prod}}}}, mode: approve, after: [staging], versions: "<3"}}
"""
