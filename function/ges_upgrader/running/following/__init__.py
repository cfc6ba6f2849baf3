"""What following rests on: upgrades that are adopted, their jobs, the health of graphs; and the backups before upgrades."""
