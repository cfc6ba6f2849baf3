"""SMN: topics, subscriptions and what was delivered to them (smn-obs-core.md A, deploy.md 2)."""
