"""How IAM refuses. The documents readable to us give statuses; the codes are inferred."""

from __future__ import annotations

from ..wire import Refusal


def bad_request(why: str) -> Refusal:
    return Refusal(400, "IAM.0007", f"Request parameter is invalid: {why}")


def forbidden(why: str) -> Refusal:
    return Refusal(403, "IAM.0003", why)


def not_found(what: str) -> Refusal:
    return Refusal(404, "IAM.0004", f"Could not find {what}.")


def conflict(what: str) -> Refusal:
    return Refusal(409, "IAM.0009", f"Conflict occurred attempting to store {what}.")
