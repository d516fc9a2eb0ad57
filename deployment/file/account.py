"""The account of a deployment: its quotas, where Terraform keeps the state, how it is reached."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from flowbridge.deployment.file.values import Count, Matching, Section, Switch

_CONSTRAINT = r"\s*((=|!=|>=?|<=?|~>)\s*)?[0-9]+(\.[0-9]+){0,2}(-[0-9A-Za-z.-]+)?\s*"
VersionConstraint = Annotated[
    str,
    Matching(
        f"^{_CONSTRAINT}(,{_CONSTRAINT})*$",
        "one as Terraform reads it, such as ~> 6.0 or >= 5.100, < 7",
        "a version constraint",
    ),
]


class Quotas(Section):
    """Raised limits of the account; what is left out has the cloud's default."""


class AwsQuotas(Quotas):
    rules_per_security_group: Count | None = Field(
        None,
        ge=1,
        le=1000,
        description="AWS: rules in one security group, by direction and family.",
    )
    security_groups_per_interface: Count | None = Field(
        None, ge=1, le=16, description="AWS: security groups on one network interface."
    )
    network_acl_entries: Count | None = Field(
        None, ge=2, le=40, description="AWS: entries of a network ACL, with the built-in deny."
    )


class AzureQuotas(Quotas):
    nsg_rules: Count | None = Field(None, ge=1, le=1000, description="Azure: rules in one NSG.")


class GcpQuotas(Quotas):
    firewall_rules: Count | None = Field(
        None, ge=1, le=100_000, description="Google Cloud: firewall rules in the project."
    )
    firewall_policy_tuples: Count | None = Field(
        None,
        ge=1,
        le=100_000,
        description="Google Cloud: rule tuples of one network firewall policy.",
    )


_Plain = str | bool | int
# `allowed_account_ids: [...]`, `labels: {...}`, and both once more inside `assume_role: {...}`.
BackendSetting = _Plain | list[str] | dict[str, _Plain | list[str] | dict[str, str]]


class Backend(Section):
    """Where Terraform keeps the state, which may be another cloud than the deployment's."""

    type: Literal[
        "local",
        "cloud",
        "remote",
        "s3",
        "azurerm",
        "gcs",
        "http",
        "pg",
        "consul",
        "kubernetes",
        "oss",
        "cos",
        "oci",
    ] = Field(
        "local",
        description="Terraform's name of the backend; `cloud` is HCP Terraform or Terraform "
        "Enterprise.",
    )
    settings: dict[str, BackendSetting] = Field(
        default_factory=dict, description="The backend's own arguments, as Terraform names them."
    )


class ProviderSettings(Section):
    """How Terraform and the audit reach the cloud. No secrets belong here."""

    default_tags: dict[str, str] = Field(
        default_factory=dict, description="Tags or labels on everything that is created."
    )
    endpoints: dict[str, str] = Field(
        default_factory=dict, description="Other addresses of the cloud's services, by service."
    )
    version: VersionConstraint | None = Field(None, description="Provider version constraint.")


class AwsProvider(ProviderSettings):
    profile: str | None = Field(None, description="AWS: named profile.")
    assume_role: str | None = Field(None, description="AWS: ARN of the role to assume.")
    external_id: str | None = Field(
        None, description="AWS: the external id that the role of `assume_role` asks for."
    )
    web_identity_token_file: str | None = Field(
        None,
        description="AWS: file with the OIDC token (of a pipeline, of a cluster) that the role of "
        "`assume_role` is assumed with.",
    )


class AzureProvider(ProviderSettings):
    subscription: str | None = Field(None, description="Azure: subscription id.")
    tenant: str | None = Field(None, description="Azure: tenant id.")
    client: str | None = Field(None, description="Azure: client id of the application.")
    use_oidc: Switch = Field(
        False, description="Azure: Terraform signs in with the OIDC token of the pipeline."
    )


class GcpProvider(ProviderSettings):
    """The project is `network.project`."""

    impersonate_service_account: str | None = Field(
        None, description="Google Cloud: e-mail of the service account to act as."
    )
