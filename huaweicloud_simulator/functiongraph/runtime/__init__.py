"""Runs the code that was deployed, when a trigger, a client or a destination invokes it."""
