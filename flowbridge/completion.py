"""What a shell offers after Tab: parties, rows, services, features, settings of the file.

Switched on once, in the shell's own start file:

    eval "$(_FLOWBRIDGE_COMPLETE=bash_source flowbridge)"          # ~/.bashrc
    eval "$(_FLOWBRIDGE_COMPLETE=zsh_source flowbridge)"           # ~/.zshrc
    _FLOWBRIDGE_COMPLETE=fish_source flowbridge | source           # config.fish

Nothing here may fail: a file that cannot be read offers nothing of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from flowbridge.deployment.file.site import Site

Offers = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _offering(find: Callable[[click.Context], Iterable[tuple[str, str]]]) -> Offers:
    """A callback of click from pairs of a word and what it means."""

    def offers(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
        try:
            return [
                CompletionItem(word, help=text or None)
                for word, text in dict(find(context)).items()
                if word.startswith(begun)
            ]
        except Exception:  # a shell that completes shows no errors
            return []

    return offers


def _site(context: click.Context) -> Site | None:
    """The deployment that was named before, where it can be read."""
    from flowbridge.catalog.reading.located_yaml import BadFileError
    from flowbridge.deployment.read import resolve_file

    values: dict[str, Any] = context.params
    # While an option lacks its value, click leaves every word where it stood.
    words = [*(values.get("files") or ()), *context.args]
    given = [values.get("file"), values.get("before"), *words]
    named = next((word for word in given if word is not None and Path(word).is_file()), None)
    if named is None:
        return None
    try:
        return resolve_file(Path(named)).site
    except BadFileError:
        return None


def _places(context: click.Context) -> Iterator[tuple[str, str]]:
    from flowbridge.catalog.load import load
    from flowbridge.deployment.interfaces import interfaces_of

    parties = load().parties
    site = _site(context)
    if site is not None:
        for card in interfaces_of(site):
            yield card.key, f"an interface in {card.tier}"
            yield card.workload, "every interface of it"
        for name in site.systems:
            yield name, parties[name].en if name in parties else "a system of this file"
    yield "internet", "every public address but our own"
    yield from ((name, party.en) for name, party in parties.items())


def _rows(_: click.Context) -> Iterator[tuple[str, str]]:
    from flowbridge.catalog.load import load

    return ((entry.id, entry.row.purpose.en) for entry in load().entries())


def _rows_and_rules(context: click.Context) -> Iterator[tuple[str, str]]:
    from flowbridge.catalog.guide_rule import guide

    yield from _rows(context)
    yield from ((name, rule.statement.en) for name, rule in guide().root.items())


def _services(_: click.Context) -> Iterator[tuple[str, str]]:
    from flowbridge.catalog.load import load

    catalog = load()
    for name in catalog.services:
        yield name, "; ".join(table.title.en for table in catalog.tables_of(name))


def _features(context: click.Context) -> Iterator[tuple[str, str]]:
    from flowbridge.catalog.feature import features_of, services_with_features

    site = _site(context)
    for service in services_with_features() if site is None else sorted(site.services):
        yield from ((name, each.title.en) for name, each in features_of(service).items())


def _settings(context: click.Context) -> Iterator[tuple[str, str]]:
    """`options.turn.port=` and the like, for `--set`."""
    from pydantic import BaseModel

    from flowbridge.deployment.file.site import AwsSite

    def below(model: type[BaseModel], path: str) -> Iterator[tuple[str, str]]:
        for name, field in model.model_fields.items():
            here = f"{path}{field.alias or name}"
            kind = field.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from below(kind, f"{here}.")
            else:
                yield f"{here}=", field.description or ""

    site = _site(context)
    return below(AwsSite if site is None else type(site), "")


places = _offering(_places)
rows = _offering(_rows)
rows_and_rules = _offering(_rows_and_rules)
services = _offering(_services)
features = _offering(_features)
settings = _offering(_settings)
