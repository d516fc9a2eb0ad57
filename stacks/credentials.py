"""What a deployment file would give away: secrets that stand in it, and servers that are sent some.

Terraform asks nobody where its credentials go; the audit does (`providers.live.endpoint`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, assert_never

from flowbridge.deployment.file.site import Cloud, Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.providers.live.endpoint import Trust, trust, without_user

# Terraform, backend types: the arguments that are secrets.
_SECRETS: Final = frozenset(
    {
        "access_token",
        "client_certificate",
        "client_certificate_password",
        "client_secret",
        "encryption_key",
        "oidc_request_token",
        "oidc_token",
        "sas_token",
        "secret_key",
        "sse_customer_key",
        "token",
    }
)
_SECRET_OF: Final = {"azurerm": "access_key"}  # of s3 it is the name of a key


def given_away(site: Site) -> Iterator[Finding]:
    """A warning for each secret, and for each server that is neither the cloud's nor this machine.

    The secrets themselves are never named.
    """
    backend = site.backend
    for name, value in backend.settings.items():
        whole = name == "credentials" and str(value).lstrip().startswith("{")  # or else a path
        if name in _SECRETS or name == _SECRET_OF.get(backend.type) or whole:
            yield Finding(
                id="stacks/secret-in-the-file",
                severity=Severity.WARNING,
                message=f"{name} is a secret, and is written to cdk.tf.json as it stands here: "
                "leave it out, and give it to Terraform by its environment variable or "
                "`-backend-config`",
                source=f"Terraform, backend type {backend.type}",
                key=f"backend.settings.{name}",
            )
    for service, url in site.provider.endpoints.items():
        known = _domains(site.cloud)
        if known and trust(url, known, named_by_command=False) is Trust.REFUSED:
            yield Finding(
                id="stacks/foreign-endpoint",
                severity=Severity.WARNING,
                message="Terraform sends the credentials of whoever applies to "
                f"{without_user(url)}, which is neither an HTTPS address of the "
                "cloud nor this machine: check that it is yours",
                source="Terraform, provider arguments",
                key=f"provider.endpoints.{service}",
            )


def _domains(cloud: Cloud) -> tuple[str, ...]:
    """The cloud's own domains; none where Terraform is given no other servers."""
    match cloud:
        case Cloud.AWS:
            return ("amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws")
        case Cloud.AZURE:
            return ()
        case Cloud.GCP:
            return ("googleapis.com",)
        case _:
            assert_never(cloud)
