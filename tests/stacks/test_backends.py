"""Backends: every name is checked with the file, and every secret is warned of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from flowbridge.deployment.file.account import Backend
from flowbridge.deployment.finding import Severity
from flowbridge.stacks.backends import backend_kinds
from flowbridge.stacks.pipeline import Built, build, load
from tests.deployment.files import DUAL, setting


def built(folder: Path, kind: str, **settings: Any) -> Built:
    file = folder / "site.yaml"
    data = setting(DUAL, backend={"type": kind, "settings": settings})
    file.write_text(json.dumps(data), "utf-8")
    return build(load(file))


def said(one: Built, severity: Severity) -> dict[str, str]:
    return {
        each.key: each.message
        for each in one.findings
        if each.severity is severity and each.key.startswith("backend.")
    }


def test_the_file_knows_the_backends_of_the_table() -> None:
    kinds = get_args(Backend.model_fields["type"].annotation)
    assert set(kinds) == set(backend_kinds())


@pytest.mark.parametrize("kind", backend_kinds())
def test_each_deployment_has_a_state_of_its_own(kind: str, tmp_path: Path) -> None:
    needed = dict.fromkeys(backend_kinds()[kind].required, "x")
    one = built(tmp_path, kind, **needed)
    assert said(one, Severity.REFUSAL) == {}
    block = json.dumps(one.document["terraform"]["cloud" if kind == "cloud" else "backend"])
    if kind != "http":  # its address is the state's, and has to be given
        assert one.resolution.site.name.replace("-", "_") in block.replace("-", "_")


@pytest.mark.parametrize("kind", backend_kinds())
def test_what_a_backend_needs_and_does_not_have_is_refused(kind: str, tmp_path: Path) -> None:
    found = said(built(tmp_path, kind, nonsense="x"), Severity.REFUSAL)
    assert "write one of" in found.pop("backend.settings.nonsense")
    assert set(found) == {f"backend.settings.{name}" for name in backend_kinds()[kind].required}
    assert all("write `backend: {type: " in message for message in found.values())


@pytest.mark.parametrize(
    ("kind", "settings", "key", "words"),
    [
        ("s3", {"bucket": "b", "encrypt": "yes"}, "encrypt", "is true or false, not 'yes'"),
        ("local", {"path": True}, "path", "write it in quotes"),
        ("s3", {"bukket": "b"}, "bukket", "write bucket"),
        ("s3", {"external_id": "e"}, "external_id", "write `assume_role: {external_id: ...}`"),
        ("s3", {"assume_role": "arn:x"}, "assume_role", "write `assume_role: {role_arn: ...}`"),
        ("s3", {"assume_role": {"role": "x"}}, "assume_role.role", "write role_arn"),
        ("s3", {"assume_role": {"role": "x"}}, "assume_role.role_arn", "needs role_arn"),
        ("cloud", {"workspaces": {"prefix": "x"}}, "workspaces.prefix", "write"),
        ("oss", {"assume_role": {}}, "assume_role.role_arn", "needs role_arn"),
    ],
)
def test_a_wrong_name_is_told_with_the_right_one(
    kind: str, settings: dict[str, Any], key: str, words: str, tmp_path: Path
) -> None:
    found = said(built(tmp_path, kind, **settings), Severity.REFUSAL)
    assert words in found[f"backend.settings.{key}"]


SECRETS = [(kind.name, *pair) for kind in backend_kinds().values() for pair in kind.secrets.items()]


@pytest.mark.parametrize(("kind", "secret", "variable"), SECRETS)
def test_a_secret_is_warned_of_with_its_variable(
    kind: str, secret: str, variable: str, tmp_path: Path
) -> None:
    backend = backend_kinds()[kind]
    inside = [name for name, block in backend.blocks.items() if secret in block.arguments]
    settings: dict[str, Any] = (
        {inside[0]: {secret: "hush-hush"}}
        if inside and secret not in backend.arguments
        else {secret: "hush-hush"}
    )
    found = said(built(tmp_path, kind, **settings), Severity.WARNING)
    [message] = found.values()
    assert variable in message
    assert "hush-hush" not in message


def test_credentials_of_the_provider(tmp_path: Path) -> None:
    """External id, OIDC and impersonation reach the provider's own arguments."""
    file = tmp_path / "site.yaml"
    role = "arn:aws:iam::111122223333:role/net"

    def provider(cloud: str, **settings: Any) -> dict[str, Any]:
        networks: dict[str, dict[str, Any]] = {
            "aws": {"id": "vpc-0a1b2c3d4e5f60718"},
            "azure": {"resource_group": "g", "vnet": "v"},
            "gcp": {
                "project": "some-project",
                "networks": {"external": "outside", "internal": "inside"},
                "id": "inside",
            },
        }
        tiers = DUAL["network"]["tiers"]
        tiers = {name: {"cidrs": tier["cidrs"]} for name, tier in tiers.items()}
        data = setting(DUAL, cloud=cloud, provider=settings)
        data["network"] = {**networks[cloud], "tiers": tiers}
        file.write_text(json.dumps(data), "utf-8")
        [block] = next(iter(build(load(file)).document["provider"].values()))
        found: dict[str, Any] = block
        return found

    assert provider("aws", assume_role=role, external_id="e")["assume_role"] == [
        {"role_arn": role, "external_id": "e"}
    ]
    found = provider("aws", assume_role=role, web_identity_token_file="/run/token")  # noqa: S106
    assert found["assume_role_with_web_identity"] == [
        {"role_arn": role, "web_identity_token_file": "/run/token"}
    ]
    assert "assume_role" not in found
    found = provider("azure", use_oidc=True, tenant="t", client="c")
    assert (found["use_oidc"], found["tenant_id"], found["client_id"]) == (True, "t", "c")
    account = "net@some-project.iam.gserviceaccount.com"
    found = provider("gcp", impersonate_service_account=account)
    assert found["impersonate_service_account"] == account
