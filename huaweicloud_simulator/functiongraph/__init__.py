"""FunctionGraph: functions, their triggers, and invocations of the code that was deployed (functiongraph.md, deploy.md 1)."""
