"""What a run returns: the decisions that it shows, plain, without secrets, not too large; and what a refused policy causes."""
