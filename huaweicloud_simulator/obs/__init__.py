"""OBS: buckets, and objects with append, whose position is the compare-and-swap (smn-obs-core.md C1, deploy.md 3)."""
