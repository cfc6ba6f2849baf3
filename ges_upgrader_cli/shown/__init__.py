"""How findings, plans and times are shown in a terminal, a pipe or a file."""
