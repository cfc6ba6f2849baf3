"""Texts and payloads that people, pipelines and services send, with the reading that each must have."""
