"""The two forms that are written without an engine: a root configuration and a module.

Each is a `Form`: it writes a deployment's files into a draft folder, and reads them back as the
document that is proved.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from flowbridge.deployment.file.site import AwsSite
from flowbridge.deployment.selection.resolution import Resolution
from flowbridge.providers.provider import TerraformJson
from flowbridge.stacks.pipeline import Built, build_estate, build_file, load_all
from flowbridge.stacks.plain.evaluated import evaluated, named_as
from flowbridge.stacks.plain.module import module_of
from flowbridge.stacks.plain.readme import readme

# The VPC that stands in the proof for one that only the caller knows.
_SOME_VPC: Final = "vpc-00000000000000000"


def as_text(document: TerraformJson) -> str:
    """Terraform JSON as it is written."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _vpc_unsaid(resolution: Resolution) -> str | None:
    unsaid = isinstance(resolution.site, AwsSite) and not resolution.site.network.id
    return _SOME_VPC if unsaid else None


class RootForm:
    """`stacks/<name>/cdk.tf.json`: the file that an engine writes, without its metadata."""

    def stacks(self, file: Path) -> tuple[Built, ...]:
        """Every stack of the file, built for this form."""
        return build_file(file)

    def write(self, built: tuple[Built, ...], draft: Path) -> None:
        for each in built:
            folder = draft / "stacks" / each.resolution.site.name
            folder.mkdir(parents=True)
            (folder / "cdk.tf.json").write_text(as_text(each.document), "utf-8")

    def read(self, draft: Path, built: Built) -> dict[str, Any]:
        path = draft / "stacks" / built.resolution.site.name / "cdk.tf.json"
        document: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return document


class ModuleForm:
    """`modules/<name>/`: the files of a module with its README."""

    def build(self, file: Path) -> Built:
        """The one stack of a file without places. ValueError for one with several."""
        (built,) = self.stacks(file)
        return built

    def stacks(self, file: Path) -> tuple[Built, ...]:
        """Every stack of the file, built for this form."""
        return build_estate(load_all(file, network_id_elsewhere=True), _vpc_unsaid)

    def write(self, built: tuple[Built, ...], draft: Path) -> None:
        for each in built:
            folder = draft / "modules" / each.resolution.site.name
            folder.mkdir(parents=True)
            module = module_of(each)
            for name, content in module.files.items():
                (folder / name).write_text(as_text(content), "utf-8")
            (folder / "README.md").write_text(readme(each, module), "utf-8")

    def read(self, draft: Path, built: Built) -> dict[str, Any]:
        """The root configuration that says what the module says for the file's own values.

        Provider and backend are the caller's: here those of the root configuration stand for them.
        """
        folder = draft / "modules" / built.resolution.site.name
        files = {p.name: json.loads(p.read_text("utf-8")) for p in folder.glob("*.tf.json")}
        network = built.resolution.site.network.id
        document = evaluated(files, {} if network else {"vpc_id": _SOME_VPC})
        document = named_as(document, built.document)
        return {**document, **{k: built.document[k] for k in ("terraform", "provider")}}
