"""The peer of bench/synth.py: the same resources through prebuilt AWS bindings.

    python bench/prebuilt_bindings.py ENGINE RESOURCES.json OUTDIR

ENGINE is `cdktf` or `cdktn`. It reads nothing but ready resources (no catalog, no checks, no
proof) and writes one stack of them: the least that a program on those bindings has to do.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from pathlib import Path
from typing import Any


def main(engine_name: str, resources: Path, outdir: Path) -> None:
    engine = importlib.import_module(engine_name)
    package = {"cdktf": "cdktf_cdktf_provider_aws", "cdktn": "cdktn_provider_aws"}[engine_name]
    provider = importlib.import_module(f"{package}.provider")
    app = engine.App(outdir=str(outdir))
    stack = engine.TerraformStack(app, "peer")
    engine.LocalBackend(stack, path="peer.tfstate")
    provider.AwsProvider(stack, "aws", region="eu-west-1")
    for kind, named in json.loads(resources.read_text("utf-8")).items():
        name = kind.removeprefix("aws_")
        module = importlib.import_module(f"{package}.{name}")
        made = getattr(module, name.title().replace("_", ""))
        known = inspect.signature(made.__init__).parameters
        for key, body in named.items():
            arguments = {name: value for name, value in body.items() if name in known}
            made(stack, key, **_as_constructs(arguments, engine))
    app.synth()


def _as_constructs(arguments: dict[str, Any], engine: Any) -> dict[str, Any]:
    """What stands beside attributes in JSON, as the bindings want it."""
    if "lifecycle" in arguments:
        arguments["lifecycle"] = engine.TerraformResourceLifecycle(**arguments["lifecycle"])
    arguments.pop("depends_on", None)  # wants constructs where JSON has addresses
    return arguments


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
