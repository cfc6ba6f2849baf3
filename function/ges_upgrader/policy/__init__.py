"""What the operator wrote, checked and with its defaults filled in. Pure; no decision about a graph is made here."""
