"""GES, v2 and v1.0."""
