"""What subscribers receive: which notices are due, and how results and notices are worded. Pure."""
