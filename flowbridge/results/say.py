"""The formats of pipelines by name, and how an outcome is written in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

from flowbridge.answer import say_raw
from flowbridge.legible import without_passwords
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


_JSON: Final = ("sarif", "gitlab")


def say_outcome(outcome: Outcome, form: str, *, one_line: bool = False) -> None:
    """`outcome` on stdout; `one_line` where it is JSON that a reader follows line by line.

    KeyError: there is no such format.
    """
    text = without_passwords(_WRITERS[form](outcome))
    if one_line and form in _JSON:
        text = json.dumps(json.loads(text), ensure_ascii=False) + "\n"
    say_raw(text)
