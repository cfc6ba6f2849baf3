"""How each layer says no: the body of an error, by the service and API in use (ges.md 5.1, smn-obs-core.md A4 and C1)."""

from __future__ import annotations

from xml.sax.saxutils import escape

from .wire import InternalError, Refusal, Request, Response

# What a service calls a fault of its own (ges.md 5.2, smn-obs-core.md A4); the gateway's code where none is documented.
_INTERNAL = {
    "ges": ("GES.7006", "The underlying graph engine has internal error."),
    "engine": ("GES.8602", "Engine service unavailable."),
    "smn": ("SMN.0018", "Internal error."),
    "obs": ("InternalError", "We encountered an internal error. Please try again."),
}


def refused(request: Request, refusal: Refusal) -> Response:
    """The answer to a request that is refused. A request id in the body is the one of the header."""
    status, code, message = refusal.status, refusal.code, refusal.message
    if isinstance(refusal, InternalError):
        code, message = _INTERNAL.get(request.service, ("APIGW.0201", "Backend unavailable"))
    if request.service == "obs":
        response = _xml(request, status, code, message)
    elif code.startswith("APIGW."):
        response = Response.of(status, {"error_msg": message, "error_code": code, "request_id": request.id})
    elif request.service == "smn":
        response = Response.of(status, {"request_id": request.id, "code": code, "message": message})
    elif request.operation == "ges.list_jobs" and request.api == "v1.0" and code == "GES.0001":
        response = Response.of(status, {"errCode": code, "externalMessage": "Parameter error."})
    elif request.api == "v1.0":
        response = Response.of(status, {"errorCode": code, "errorMessage": message})
    else:
        response = Response.of(status, {"error_code": code, "error_msg": message})
    response.headers.update(refusal.headers)
    return response


def _xml(request: Request, status: int, code: str, message: str) -> Response:
    if request.method == "HEAD":
        return Response(status)
    text = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message><RequestId>{request.id}</RequestId></Error>"
    )
    return Response(status, text.encode(), {"Content-Type": "application/xml"})
