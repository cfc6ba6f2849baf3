"""What following an upgrade rests on: its job, and the health of its graph."""
