"""GES's own codes of refusals, as data (ges.md 5.2), and what they mean to a caller."""

from __future__ import annotations

from ges_upgrader.cloud.errors import CloudError

UNKNOWN_JOB = frozenset({"GES.8301", "GES.7007"})
UNKNOWN_GRAPH = frozenset({"GES.7000", "GES.7054"})

# A fault of GES that passes, although most come with HTTP 400: "retry: yes".
PASSING = frozenset({"GES.7004", "GES.7005", "GES.7006", "GES.7051", "GES.8302", "GES.9999"})

_INCORRECT_PARAMETER = "GES.0001"

# The management plane's 62 codes, and those of the data plane that its pages mention.
_NUMBERS = """
    0001 0016 7000 7001 7002 7003 7004 7005 7006 7007 7008 7009 7010 7011 7012 7013 7014 7015 7016 7017 7018 7019 7020 7021
    7022 7023 7024 7027 7028 7029 7030 7031 7032 7033 7034 7035 7036 7037 7038 7039 7040 7041 7042 7048 7049 7050 7051 7052
    7054 7056 7057 7059 7061 7062 7063 7064 7065 7066 7067 7068 7069 7070
    8000 8001 8002 8005 8006 8007 8008 8011 8017 8020 8301 8302 8501 8502 8503 8504 8505 8506 8601 8602 8904 9999
"""
DOCUMENTED = frozenset(f"GES.{number}" for number in _NUMBERS.split())


def unknown_target(error: CloudError) -> bool:
    """Whether a refused upgrade can mean that GES does not know the target version; no code for that is documented.

    It can with HTTP 400 and GES.0001, or a code of GES that is not documented at all.
    """
    undocumented = error.code.startswith("GES.") and error.code not in DOCUMENTED
    return error.status == 400 and (error.code == _INCORRECT_PARAMETER or undocumented)
