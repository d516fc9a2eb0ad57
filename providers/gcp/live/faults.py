"""From what the Google client raises to a named cause with something to do about it.

Google APIs, error model; google-api-core and google-auth, exceptions. Nothing else in this folder
looks at an SDK error.
"""

from __future__ import annotations

from typing import Any, Final

from flowbridge.policy.audit.estate import Cause, Unread
from flowbridge.providers.live.fault import Fault, one_line
from flowbridge.providers.live.reading import not_understood

# Reasons of a 403 that are no lack of permission.
RATE_REASONS: Final = frozenset(
    {
        "RATE_LIMIT_EXCEEDED",
        "quotaExceeded",
        "rateLimitExceeded",
        "userRateLimitExceeded",
        "concurrentLimitExceeded",
    }
)
_RAISED: Final = {
    Cause.GARBLED: {"GarbledError", "JSONDecodeError", "ParseError", "DecodeError"},
    Cause.EXPIRED: {"RefreshError", "ReauthFailError", "ReauthSamlChallengeFailError"},
    Cause.NO_CREDENTIALS: {"DefaultCredentialsError", "GoogleAuthError"},
    Cause.TIMED_OUT: {"DeadlineError", "DeadlineExceeded", "RetryError", "Timeout", "TimeoutError"},
    Cause.UNREACHABLE: {"ConnectionError", "TransportError", "RequestException", "OSError"},
    Cause.NO_SDK: {"ImportError", "ModuleNotFoundError"},
}
_CAUSES: Final = {name: cause for cause, names in _RAISED.items() for name in names}

_REMEDIES: Final = {
    Cause.THROTTLED: "Run it again later, or with fewer deployments at once",
    Cause.DENIED: "Allow it (docs/permissions.md has the whole role)",
    Cause.EXPIRED: "Sign in again (`gcloud auth application-default login`)",
    Cause.NO_CREDENTIALS: "Sign in (`gcloud auth application-default login`), or give the "
    "environment an identity that google-auth finds",
    Cause.TIMED_OUT: "Check the network path, or give it longer with --timeout",
    Cause.UNREACHABLE: "Check the endpoint and the network path",
    Cause.FAILED: "Run it again; Google Cloud had a fault",
    Cause.GARBLED: "Run it again; a proxy or endpoint may alter answers",
    Cause.ABSENT: "Check `network.project` and the networks in the deployment file",
    Cause.NO_SDK: "Install it: `pip install 'flowbridge[gcp]'`",
}


def _fault(cause: Cause, message: str) -> Fault:
    return Fault(cause, message, _REMEDIES)


def garbled(scope: str, error: Exception) -> Unread:
    """For answers that came whole, and in which something is not as documented."""
    return not_understood(scope, "compute.firewalls.list", fault_of(error).message)


def fault_of(error: BaseException) -> Fault:
    """The fault that `error` stands for. Its text is one line."""
    names = [kind.__name__ for kind in type(error).__mro__]
    beneath = getattr(error, "cause", None)
    if "RetryError" in names and isinstance(beneath, BaseException):
        # The time for retries ran out: what went wrong all along is the fault.
        return fault_of(beneath)
    code = getattr(error, "code", None)
    if code is not None and "GoogleAPICallError" in names and int(code) >= 400:
        return _of_answer(error, int(code))
    cause = next((_CAUSES[name] for name in names if name in _CAUSES), Cause.FAILED)
    said = one_line(str(error))
    if cause is Cause.FAILED:
        # A shape that the SDK does not expect ends in any of these.
        odd = isinstance(error, AttributeError | KeyError | TypeError | ValueError)
        cause = Cause.GARBLED if odd else cause
        said = f"{type(error).__name__}: {said}"
    return _fault(cause, said)


def reasons(error: Any) -> frozenset[str]:
    """The reasons that an error answer gives: `rateLimitExceeded`."""
    found = {
        str(each.get("reason")) for each in getattr(error, "errors", ()) if hasattr(each, "get")
    }
    return frozenset(found | {str(getattr(error, "reason", None))})


def is_throttled(error: Any) -> bool:
    """A 429, or a 403 that is about rates."""
    code = int(getattr(error, "code", None) or 0)
    return code == 429 or (code == 403 and not RATE_REASONS.isdisjoint(reasons(error)))


def _of_answer(error: BaseException, code: int) -> Fault:
    message = one_line(getattr(error, "message", "") or str(error))
    if is_throttled(error):
        return _fault(Cause.THROTTLED, message)
    if code == 401:
        expired = "expired" in message.lower() or "ACCESS_TOKEN_EXPIRED" in reasons(error)
        return _fault(Cause.EXPIRED if expired else Cause.NO_CREDENTIALS, message)
    if code == 403:
        return _fault(Cause.DENIED, message)
    if code == 404:
        return _fault(Cause.ABSENT, message)
    if code in (408, 504):
        return _fault(Cause.TIMED_OUT, message)
    return _fault(Cause.FAILED, f"HTTP status {code}: {message}")
