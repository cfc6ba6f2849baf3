"""When something may start: maintenance windows, recurrence rules, wall clocks and timers. Pure."""
