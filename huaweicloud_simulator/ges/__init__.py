"""GES: the management plane in v2 and v1.0, and the engine of each graph (the data plane)."""
