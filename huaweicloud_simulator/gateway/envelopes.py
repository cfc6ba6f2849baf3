"""The body of a refusal, by the service and API in use (ges.md 5.1, smn-obs-core.md A4 and C1)."""

from __future__ import annotations

from xml.sax.saxutils import escape

from ..wire import InternalError, Refusal, Request, Response

# The code of an internal error (ges.md 5.2, smn-obs-core.md A4); the gateway's code for services that document none.
_INTERNAL = {
    "ges": ("GES.7006", "The underlying graph engine has internal error."),
    "engine": ("GES.8602", "Engine service unavailable."),
    "smn": ("SMN.0018", "Internal error."),
    "obs": ("InternalError", "We encountered an internal error. Please try again."),
}


def refused(request: Request, refusal: Refusal) -> Response:
    """The answer to a refused request. The request id in a body equals the one in the header."""
    code, message = refusal.code, refusal.message
    if isinstance(refusal, InternalError):
        code, message = _INTERNAL.get(request.service, ("APIGW.0201", "Backend unavailable"))
    if request.service == "obs":
        response = _xml(request, refusal.status, code, message)
    else:
        response = Response.of(refusal.status, _json(request, code, message))
    response.headers.update(refusal.headers)
    return response


def _json(request: Request, code: str, message: str) -> dict[str, str]:
    if code.startswith("APIGW."):
        return {"error_msg": message, "error_code": code, "request_id": request.id}
    if request.service == "smn":
        return {"request_id": request.id, "code": code, "message": message}
    return _json_of_v1(request, code, message) if request.api == "v1.0" else {"error_code": code, "error_msg": message}


def _json_of_v1(request: Request, code: str, message: str) -> dict[str, str]:
    if (request.operation, code) == ("ges.list_jobs", "GES.0001"):
        return {"errCode": code, "externalMessage": "Parameter error."}
    return {"errorCode": code, "errorMessage": message}


def _xml(request: Request, status: int, code: str, message: str) -> Response:
    if request.method == "HEAD":
        return Response(status)
    text = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message><RequestId>{request.id}</RequestId></Error>"
    )
    return Response(status, text.encode(), {"Content-Type": "application/xml"})
