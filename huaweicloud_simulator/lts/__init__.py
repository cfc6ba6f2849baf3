"""LTS, and what an upgrader touches of CTS and CES: log groups and streams, alarms, traces, metrics (deploy.md 6 and 9)."""
