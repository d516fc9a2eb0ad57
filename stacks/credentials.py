"""What a deployment file would give away: secrets that stand in it, and servers that are sent some.

Terraform asks nobody where its credentials go; the audit does (`providers.live.endpoint`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from flowbridge.deployment.file.site import Cloud, Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.providers.live.endpoint import Trust, trust, without_user
from flowbridge.stacks.backends import secrets_of


def given_away(site: Site) -> Iterator[Finding]:
    """A warning for each secret, and for each server that is neither the cloud's nor this machine.

    The secrets themselves are never named.
    """
    backend = site.backend
    secrets = dict(secrets_of(site))
    if str(backend.settings.get("credentials", "")).lstrip().startswith("{"):  # else it is a path
        secrets["credentials"] = "GOOGLE_CREDENTIALS"
    for key, variable in secrets.items():
        yield Finding(
            id="stacks/secret-in-the-file",
            severity=Severity.WARNING,
            message=f"{key} is a secret, and is written to cdk.tf.json as it stands here: leave it "
            f"out, and give it to Terraform by the environment variable {variable} or "
            "`-backend-config`",
            source=f"Terraform, backend type {backend.type}",
            key=f"backend.settings.{key}",
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
