"""From what boto3 raises to a named cause with something to do about it.

EC2 API, error codes; botocore, exceptions. Nothing else in this folder looks at an SDK error.
"""

from __future__ import annotations

from typing import Final

from flowbridge.policy.audit.estate import Cause, Unread
from flowbridge.providers.live.fault import Fault, one_line
from flowbridge.providers.live.reading import not_understood

_THROTTLED: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "Client.UnauthorizedOperation",
        "NotAuthorized",
        "OptInRequired",
        "Unauthorized",
        "UnauthorizedOperation",
    }
)
_EXPIRED: Final = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
)
_NO_CREDENTIALS: Final = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
# botocore's own exceptions, by name: the classes are not imported to be compared with.
_RAISED: Final = {
    Cause.EXPIRED: {"SSOTokenLoadError", "TokenRetrievalError", "UnauthorizedSSOTokenError"},
    Cause.NO_CREDENTIALS: {
        "ConfigNotFound",
        "ConfigParseError",
        "CredentialRetrievalError",
        "InvalidConfigError",
        "LoginError",
        "MetadataRetrievalError",
        "NoCredentialsError",
        "PartialCredentialsError",
        "ProfileNotFound",
    },
    Cause.TIMED_OUT: {"ConnectTimeoutError", "DeadlineError", "ReadTimeoutError"},
    Cause.UNREACHABLE: {
        "ConnectionClosedError",
        "ConnectionError",
        "EndpointConnectionError",
        "EndpointResolutionError",
        "HTTPClientError",
        "IncompleteReadError",
        "InvalidProxiesConfigError",
        "InvalidRegionError",
        "NoRegionError",
        "ProxyConnectionError",
        "ResponseStreamingError",
        "SSLError",
        "UnknownEndpointError",
        "UnknownServiceError",
    },
    Cause.GARBLED: {"GarbledError", "KeyError", "PaginationError", "ResponseParserError"},
    Cause.NO_SDK: {"ImportError", "ModuleNotFoundError"},
}
_CAUSES: Final = {name: cause for cause, names in _RAISED.items() for name in names}

_REMEDIES: Final = {
    Cause.THROTTLED: "Run it again later, or with fewer deployments at once",
    Cause.DENIED: "Allow it (docs/permissions.md has the whole policy)",
    Cause.EXPIRED: "Sign in again",
    Cause.NO_CREDENTIALS: "Check `provider.profile`, `provider.assume_role` and the environment",
    Cause.TIMED_OUT: "Check the network path, or give it longer with --timeout",
    Cause.UNREACHABLE: "Check the region, the endpoint and the network path",
    Cause.FAILED: "Run it again; AWS had a fault",
    Cause.GARBLED: "Run it again; a proxy or endpoint may alter answers",
    Cause.NO_SDK: "Install it: `pip install 'flowbridge[aws]'`",
}


def _fault(cause: Cause, message: str) -> Fault:
    return Fault(cause, message, _REMEDIES)


def garbled(scope: str, error: Exception) -> Unread:
    """For answers that came whole, and in which something is not as documented."""
    return not_understood(scope, "ec2:DescribeSecurityGroupRules", fault_of(error).message)


def fault_of(error: Exception) -> Fault:
    """The fault that `error` stands for. Its text is one line, without AWS's encoded details."""
    response = getattr(error, "response", None)
    if isinstance(response, dict) and "Error" in response:
        return _of_answer(response)
    names = [kind.__name__ for kind in type(error).__mro__]
    cause = next((_CAUSES[name] for name in names if name in _CAUSES), Cause.FAILED)
    said = one_line(str(error))
    if cause is Cause.GARBLED and isinstance(error, KeyError):
        said = f"{said} is not in the answer"
    if cause is Cause.FAILED:
        # Invalid endpoints come as a bare ValueError.
        cause = Cause.UNREACHABLE if isinstance(error, ValueError) else cause
        said = f"{type(error).__name__}: {said}"
    return _fault(cause, said)


def _of_answer(response: dict[str, object]) -> Fault:
    error = response.get("Error")
    body = error if isinstance(error, dict) else {}
    meta = response.get("ResponseMetadata")
    status = meta.get("HTTPStatusCode", 0) if isinstance(meta, dict) else 0
    code = str(body.get("Code", ""))
    said = str(body.get("Message", "")).split("Encoded authorization failure message")[0]
    text = one_line(said)
    message = f"{code}: {text}" if text else code or f"HTTP status {status}"
    if code in _THROTTLED or status == 429:
        return _fault(Cause.THROTTLED, message)
    if code in _EXPIRED:
        return _fault(Cause.EXPIRED, message)
    if code in _NO_CREDENTIALS:
        return _fault(Cause.NO_CREDENTIALS, message)
    if code in _DENIED or status == 403:
        return _fault(Cause.DENIED, message)
    return _fault(Cause.FAILED, message)
