"""The upgrader: from an event to an upgraded graph and a told result. `run.py` is the table of contents."""
