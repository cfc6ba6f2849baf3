"""GES's management plane: its calls, and its JSON to our nouns."""
