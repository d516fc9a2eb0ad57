"""Quotas that an apply would go beyond, in one wording for all clouds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flowbridge.providers.provider import Usage


def exceeded(usage: Iterable[Usage]) -> Iterator[tuple[Usage, str]]:
    """Each limit that is too small, with what to tell."""
    for each in usage:
        if each.used > each.allowed:
            told = (
                f"{each.scope}: {each.used} {each.limit} after the apply, and {each.allowed} are "
                "allowed: raise the quota first, or take out what is not the plan's"
            )
            yield each, told
