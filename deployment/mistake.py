"""A mistake in a deployment: the key it stands at, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from flowbridge.catalog.reading.located_yaml import Location


@dataclass(frozen=True, slots=True)
class Mistake:
    """`location` as keys and indexes from the top of the file: `("expressway_e", "peers", 0)`.

    `rule` is the guide rule that is broken (`catalog/guide.yaml`), where it is one.
    """

    location: Location
    message: str
    rule: str = ""

    @property
    def sentence(self) -> str:
        """The message, with the rule by which `flowbridge catalog show` explains it."""
        return f"{self.message} [{self.rule}]" if self.rule else self.message


def nearest(word: str, known: Iterable[str], others: Mapping[str, str] | None = None) -> str:
    """`did you mean 'mra'?`, or all that is known where nothing is near. `MRA` is near to `mra`.

    `others` are words that people write for a known name, with that name; only the very word
    counts, since `cucn` is nearer to `cucm` than to `cuc`, another name of `unity`.
    """
    names: Sequence[str] = sorted(known)
    folded = {name.casefold(): name for name in names}
    meant = (others or {}).get(word.casefold().replace("_", "-"))
    if meant is not None:
        return f"did you mean {meant!r}?"
    near = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    if near:
        return f"did you mean {folded[near[0]]!r}?"
    return f"write one of {', '.join(names)}" if names else "there is none to name"
