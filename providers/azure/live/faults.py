"""From what the Azure SDK raises to a named cause with something to do about it.

Azure Resource Manager, error codes; azure-core, exceptions. Nothing else in this folder looks at
an SDK error.
"""

from __future__ import annotations

import re
from typing import Any, Final

from flowbridge.policy.audit.estate import Cause, Unread
from flowbridge.providers.live.fault import Fault, one_line
from flowbridge.providers.live.reading import not_understood

_THROTTLED: Final = frozenset(
    {"OperationNotAllowedByRateLimit", "SubscriptionRequestsThrottled", "TooManyRequests"}
)
_DENIED: Final = frozenset({"AuthorizationFailed", "Forbidden", "LinkedAuthorizationFailed"})
_EXPIRED: Final = frozenset({"ExpiredAuthenticationToken", "TokenExpired"})
_NO_CREDENTIALS: Final = frozenset(
    {
        "AuthenticationFailed",
        "InvalidAuthenticationToken",
        "InvalidAuthenticationTokenTenant",
        "MissingAuthenticationToken",
    }
)
_ABSENT: Final = frozenset(
    {"NotFound", "ResourceGroupNotFound", "ResourceNotFound", "SubscriptionNotFound"}
)
# Entra ID: refresh token expired, inactive or revoked; sign-in too long ago.
_EXPIRED_SIGN_IN: Final = re.compile(
    r"AADSTS(?:700082|700084|70043|50173|50078|50079|70044)|expired"
)
_RAISED: Final = {
    Cause.GARBLED: {"DecodeError", "DeserializationError", "GarbledError", "JSONDecodeError"},
    Cause.NO_CREDENTIALS: {"ClientAuthenticationError", "CredentialUnavailableError"},
    Cause.TIMED_OUT: {
        "DeadlineError",
        "ServiceRequestTimeoutError",
        "ServiceResponseTimeoutError",
        "TimeoutError",
    },
    Cause.UNREACHABLE: {"ServiceRequestError", "ServiceResponseError", "OSError"},
    Cause.NO_SDK: {"ImportError", "ModuleNotFoundError"},
}
_CAUSES: Final = {name: cause for cause, names in _RAISED.items() for name in names}

_REMEDIES: Final = {
    Cause.THROTTLED: "Run it again later, or with fewer deployments at once",
    Cause.DENIED: "Allow it (docs/permissions.md has the whole role)",
    Cause.EXPIRED: "Sign in again (`az login`)",
    Cause.NO_CREDENTIALS: "Sign in (`az login`), or give the environment an identity that "
    "azure-identity finds",
    Cause.TIMED_OUT: "Check the network path, or give it longer with --timeout",
    Cause.UNREACHABLE: "Check the endpoint and the network path",
    Cause.FAILED: "Run it again; Azure had a fault",
    Cause.GARBLED: "Run it again; a proxy or endpoint may alter answers",
    Cause.ABSENT: "Check `network` and `provider.subscription` in the deployment file",
    Cause.NO_SDK: "Install it: `pip install 'flowbridge[azure]'`",
}


def _fault(cause: Cause, message: str) -> Fault:
    return Fault(cause, message, _REMEDIES)


def garbled(scope: str, error: Exception) -> Unread:
    """For answers that came whole, and in which something is not as documented."""
    call = "Microsoft.Network/networkSecurityGroups/read"
    return not_understood(scope, call, fault_of(error).message)


def fault_of(error: Exception) -> Fault:
    """The fault that `error` stands for. Its text is one line."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status >= 400:
        return _of_answer(error, status)
    names = [kind.__name__ for kind in type(error).__mro__]
    cause = next((_CAUSES[name] for name in names if name in _CAUSES), Cause.FAILED)
    said = one_line(str(error))
    if cause is Cause.NO_CREDENTIALS and _EXPIRED_SIGN_IN.search(str(error)):
        cause = Cause.EXPIRED
    if cause is Cause.UNREACHABLE and re.search(r"timed? ?out", said, re.IGNORECASE):
        cause = Cause.TIMED_OUT
    if cause is Cause.FAILED:
        # A shape that the SDK does not expect ends in any of these.
        odd = isinstance(error, AttributeError | KeyError | TypeError | ValueError)
        cause = Cause.GARBLED if odd else cause
        said = f"{type(error).__name__}: {said}"
    return _fault(cause, said)


def _of_answer(error: Exception, status: int) -> Fault:
    code = _code(error)
    text = one_line(str(getattr(error, "message", "") or error))
    message = f"{code}: {text}" if code and code not in text else text
    message = message or f"HTTP status {status}"
    if status == 429 or code in _THROTTLED:
        return _fault(Cause.THROTTLED, message)
    if code in _EXPIRED or (status == 401 and "expired" in text.lower()):
        return _fault(Cause.EXPIRED, message)
    if code in _NO_CREDENTIALS or status == 401:
        return _fault(Cause.NO_CREDENTIALS, message)
    if code in _DENIED or status == 403:
        return _fault(Cause.DENIED, message)
    if code in _ABSENT or status == 404:
        return _fault(Cause.ABSENT, message)
    return _fault(Cause.FAILED, f"HTTP status {status}: {message}")


def _code(error: Exception) -> str:
    """The code in the error's body: `AuthorizationFailed`."""
    model: Any = getattr(error, "error", None)
    code = getattr(model, "code", None)
    return str(code) if code else ""
