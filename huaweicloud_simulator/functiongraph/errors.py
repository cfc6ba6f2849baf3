"""The codes with which FunctionGraph refuses (deploy.md 1.5). Codes that the documents give no message for have ours."""

from __future__ import annotations

from ..wire import Refusal


class FunctionError(Exception):
    """The function failed: its handler raised, or it could not be run. `log` is what it printed."""

    def __init__(self, why: str, log: str = "") -> None:
        super().__init__(why)
        self.log = log


_KNOWN = {
    "FSS.0400": (400, "Invalid request parameter."),
    "FSS.0403": (403, "You have no permission to perform this operation."),
    "FSS.0404": (404, "The requested resource is not found."),
    "FSS.0409": (409, "The resource already exists."),
    "FSS.1002": (400, "Invalid function name."),
    "FSS.1003": (400, "Invalid function handler."),
    "FSS.1005": (400, "Invalid function runtime."),
    "FSS.1007": (400, "Invalid function memory size."),
    "FSS.1008": (400, "Invalid function timeout."),
    "FSS.1009": (400, "Invalid user data."),
    "FSS.1016": (400, "The function has not changed since the last version was published."),
    "FSS.1017": (400, "The number of environment variables exceeds the limit of 20."),
    "FSS.1018": (400, "The length of environment variables exceeds the limit of 4096."),
    "FSS.1019": (400, "Invalid function description."),
    "FSS.1051": (404, "Not found the function."),
    "FSS.1052": (404, "Not found the function version."),
    "FSS.1053": (404, "Not found the function version alias."),
    "FSS.1054": (404, "Not found the function code in OBS."),
    "FSS.1061": (409, "The function already exists."),
    "FSS.1062": (409, "The function version already exists."),
    "FSS.1063": (409, "The function version alias already exists."),
    "FSS.1066": (409, "The function version already has an alias."),
    "FSS.1071": (413, "The function code exceeds the limit of 50 MB."),
    "FSS.1072": (413, "The inline function code exceeds the limit of 10 KB."),
    "FSS.1078": (400, "Invalid code filename: it must not contain a path."),
    "FSS.1101": (400, "Invalid trigger type."),
    "FSS.1102": (400, "Invalid SMN trigger."),
    "FSS.1109": (400, "Invalid timer trigger."),
    "FSS.1122": (403, "The agency does not exist or does not trust FunctionGraph."),
    "FSS.1131": (404, "Not found the trigger."),
    "FSS.1141": (409, "The SMN trigger already exists."),
    "FSS.1148": (409, "The timer trigger already exists."),
    "FSS.1151": (406, "The bucket must be in the region of the function."),
    "FSS.1171": (404, "Not found the topic."),
    "FSS.1306": (400, "The number of triggers exceeds the limit of 10."),
    "FSS.1312": (400, "Invalid CTS trigger."),
    "FSS.1404": (400, "Invalid initializer."),
    "FSS.1405": (400, "Invalid initializer timeout."),
}


def refusal(code: str, message: str | None = None) -> Refusal:
    status, text = _KNOWN[code]
    return Refusal(status, code, message or text)
