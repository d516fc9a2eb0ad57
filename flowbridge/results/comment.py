"""A Markdown comment for a pull request: the answer first, then what is wrong, then the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from flowbridge.results.result import Level, Outcome, Result

_HEADINGS: Final = {
    Level.ERROR: "To mend",
    Level.WARNING: "To look at",
    Level.NOTE: "To know",
}


def comment(outcome: Outcome) -> str:
    """GitHub and GitLab fold `<details>`; what is an error is never folded."""
    errors = [each for each in outcome.results if each.level is Level.ERROR]
    answer = "cannot be told" if outcome.incomplete else "holds"
    answer = f"{len(errors)} to mend" if errors else answer
    return "".join(_parts(outcome, f"## flowbridge {outcome.command}: {answer}\n"))


def _parts(outcome: Outcome, heading: str) -> Iterator[str]:
    yield heading
    yield from (f"\nNot told: {_escaped(text)}\n" for text in outcome.incomplete)
    for level, title in _HEADINGS.items():
        found = [each for each in outcome.results if each.level is level]
        if not found:
            continue
        if level is Level.ERROR:
            yield f"\n### {title}\n\n"
            yield from _lines(found)
        else:
            yield f"\n<details><summary>{title} ({len(found)})</summary>\n\n"
            yield from _lines(found)
            yield "\n</details>\n"


def _lines(results: Iterable[Result]) -> Iterator[str]:
    for result in results:
        line = f":{result.line}" if result.line else ""
        about = result.key or result.subject
        yield (
            f"- `{_code(result.file)}{line}` {_escaped(about)}{': ' if about else ''}"
            f"{_escaped(result.text)} (`{_code(result.rule)}`)\n"
        )


def _code(text: str) -> str:
    return " ".join(text.split()).replace("`", "'")


def _escaped(text: str) -> str:
    """Texts of others are no markup: no tag, link, table or mention comes out of them."""
    plain = " ".join(text.split())
    for mark in ("\\", "`", "*", "_", "[", "]", "|"):
        plain = plain.replace(mark, f"\\{mark}")
    return plain.replace("<", "&lt;").replace("@", "@\N{ZERO WIDTH SPACE}")
