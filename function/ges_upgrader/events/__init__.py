"""What woke the function: the shapes of events, the grammar of commands, and what SMN messages announce."""
