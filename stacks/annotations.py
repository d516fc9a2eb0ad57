"""What a deployment has to say, as annotations of its construct: `cdktf synth` prints them."""

from __future__ import annotations

from typing import Final

from flowbridge.deployment.finding import Severity
from flowbridge.stacks.engine import Construct
from flowbridge.stacks.pipeline import Built

_KINDS: Final = {Severity.WARNING: "@cdktf/warn", Severity.OBLIGATION: "@cdktf/info"}


def annotate(construct: Construct, built: Built) -> None:
    """Warnings as warnings, obligations as information; what is accepted is not told again.

    The engine's own `Annotations` would add a trace with the paths of this run, and two runs would
    write two manifests.
    """
    for finding in built.findings:
        kind = _KINDS.get(finding.severity)
        if kind is not None and finding.accepted is None:
            told = f"{finding.key}: {finding.message} ({finding.id})".removeprefix(": ")
            construct.node.add_metadata(kind, told)
