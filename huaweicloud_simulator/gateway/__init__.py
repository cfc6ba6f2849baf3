"""The API gateway in front of the services: where a request goes, who signed it, and how a refusal is worded."""
