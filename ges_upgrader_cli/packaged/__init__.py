"""The function as it is deployed: its files, the zip, and an invocation of it on this machine."""
