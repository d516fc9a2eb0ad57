"""Where the real AWS provider may lie on this machine: every usual place is looked at."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

PROVIDER = "registry.terraform.io/hashicorp/aws"

_MIRROR_PATH = re.compile(r'filesystem_mirror\s*{[^}]*?path\s*=\s*"([^"]+)"', re.DOTALL)


def find_mirror() -> Path | None:
    """A folder with the AWS provider in Terraform's mirror layout, packed or not."""
    for folder in _places():
        provider = folder / PROVIDER
        if any(provider.glob("*/*/terraform-provider-aws*")) or any(provider.glob("*.zip")):
            return folder
    return None


def _places() -> Iterator[Path]:
    for variable in ("TF_PLUGIN_MIRROR", "TF_PLUGIN_CACHE_DIR"):
        if os.environ.get(variable):
            yield Path(os.environ[variable])
    for file in (os.environ.get("TF_CLI_CONFIG_FILE"), "~/.terraformrc"):
        settings = Path(file).expanduser() if file else None
        if settings is not None and settings.is_file():
            yield from map(Path, _MIRROR_PATH.findall(settings.read_text("utf-8")))
    yield Path("~/.terraform.d/plugins").expanduser()
    for root in ("/usr/share/terraform", "/usr/local/share/terraform", "/opt", "/var/lib"):
        yield from sorted(Path(root).glob("*plugin*"))


def write_settings(mirror: Path, folder: Path) -> Path:
    """A Terraform CLI configuration that installs providers from `mirror` and nowhere else."""
    settings = folder / "terraform.rc"
    settings.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n',
        "utf-8",
    )
    return settings
