"""Secrets in a deployment file, and servers that it would send some to: said, and never printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from flowbridge.cli import flowbridge
from tests.deployment.files import DUAL, setting

WORD = "correct-horse-battery"


def warned(tmp_path: Path, **changes: object) -> dict[str, str]:
    """The warnings of ours by key."""
    file = tmp_path / "site.yaml"
    file.write_text(json.dumps(setting(DUAL, **changes)), "utf-8")
    result = CliRunner().invoke(flowbridge, ["check", str(file), "--format", "json"])
    assert result.exit_code == 0, result.output
    assert WORD not in result.output
    (deployment,) = json.loads(result.stdout)["deployments"]
    found = (each for each in deployment["findings"] if each["severity"] == "warning")
    ours = ("stacks/secret-in-the-file", "stacks/foreign-endpoint")
    return {each["key"]: each["message"] for each in found if each["id"] in ours}


@pytest.mark.parametrize(
    ("kind", "settings", "secret"),
    [
        ("s3", {"bucket": "b", "access_key": "AKIA", "secret_key": WORD}, "secret_key"),
        (
            "azurerm",
            {"storage_account_name": "a", "container_name": "c", "access_key": WORD},
            "access_key",
        ),
        ("gcs", {"bucket": "b", "credentials": f'{{"private_key": "{WORD}"}}'}, "credentials"),
    ],
)
def test_a_secret_of_the_backend_is_warned_of(
    tmp_path: Path, kind: str, settings: dict[str, str], secret: str
) -> None:
    found = warned(tmp_path, backend={"type": kind, "settings": settings})
    assert list(found) == [f"backend.settings.{secret}"]
    assert "environment" in found[f"backend.settings.{secret}"]


def test_settings_without_secrets_are_not(tmp_path: Path) -> None:
    settings = {"bucket": "b", "credentials": "/run/key.json"}
    assert warned(tmp_path, backend={"type": "gcs", "settings": settings}) == {}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://collector.example", True),
        ("http://ec2.eu-west-1.amazonaws.com", True),
        ("https://collector.example\\@ec2.amazonaws.com", True),
        ("https://vpce-0a1b.ec2.eu-west-1.vpce.amazonaws.com", False),
        ("http://localhost:4566", False),
    ],
)
def test_a_server_of_others_is_warned_of(tmp_path: Path, url: str, said: bool) -> None:
    found = warned(tmp_path, provider={"endpoints": {"ec2": url}})
    assert list(found) == (["provider.endpoints.ec2"] if said else [])
