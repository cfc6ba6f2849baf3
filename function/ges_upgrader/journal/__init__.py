"""The journal: append-only records with compare-and-swap, where they are stored, and how they are compacted."""
