"""The formats of pipelines by name, and how an outcome is written in them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Final

from flowbridge.results.annotations import github, gitlab
from flowbridge.results.comment import comment
from flowbridge.results.junit import junit
from flowbridge.results.result import Outcome
from flowbridge.results.sarif import sarif


def _sarif(outcome: Outcome) -> str:
    return json.dumps(sarif(outcome), ensure_ascii=False, indent=2) + "\n"


_WRITERS: Final[Mapping[str, Callable[[Outcome], str]]] = {
    "sarif": _sarif,
    "junit": junit,
    "github": github,
    "gitlab": gitlab,
    "md": comment,
}


def say_outcome(outcome: Outcome, form: str) -> None:
    """`outcome` on stdout, as UTF-8 whatever the terminal's encoding. KeyError: no such format."""
    text = _WRITERS[form](outcome)
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()
