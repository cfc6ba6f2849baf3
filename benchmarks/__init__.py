"""Figures, measured side by side in one run. Not tests: nothing here is timed on a machine that is busy otherwise."""
