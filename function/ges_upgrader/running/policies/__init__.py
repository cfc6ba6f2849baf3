"""The policy of a run: where it is read, and what is reported if it cannot be used."""
