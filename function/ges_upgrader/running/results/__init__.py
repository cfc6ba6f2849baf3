"""The handler's return value: which decisions it shows, and that it is plain, without secrets and not too large."""
