"""The page of features (`docs/features.md`), made from the data: who sends what to whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flowbridge.catalog.feature import Step, features_of, not_conversations, services_with_features
from flowbridge.catalog.load import Catalog, Entry
from flowbridge.catalog.row import PartyCell, PortCell

Record = dict[str, Any]


def features(catalog: Catalog) -> list[Record]:
    """Every feature in the order of services: `{id, service, title, steps: [{does, media, ways}]}`;
    a way lists its rows, one of several is enough."""
    return [
        {
            "id": name,
            "service": service,
            "title": feature.title.model_dump(),
            "steps": [
                {
                    "does": step.does,
                    "media": step.media,
                    "idle": step.idle.model_dump() if step.idle else None,
                    "ways": [
                        [_plain(catalog.entry_of_any_edition(row)) for row in way]
                        for way in step.ways
                    ],
                }
                for step in feature.steps
            ],
        }
        for service in services_with_features()
        for name, feature in features_of(service).items()
    ]


def features_markdown(catalog: Catalog) -> str:
    """The page as Markdown."""
    return "".join(_lines(catalog))


def _lines(catalog: Catalog) -> Iterator[str]:
    yield "# Features\n\n"
    yield (
        "What people use, as conversations: made by `flowbridge catalog features --format "
        "markdown` from catalog/features. The left side of an arrow sends first; its answers come "
        "back the same way. `flowbridge rehearse` plays each through what is emitted.\n"
    )
    for service in services_with_features():
        yield f"\n## `{service}`\n"
        for name, feature in features_of(service).items():
            yield f"\n### `{name}`\n\n{feature.title.en}\n\n"
            for number, step in enumerate(feature.steps, 1):
                media = " (media)" if step.media else ""
                yield f"{number}. {step.does}{media}\n"
                if step.idle is not None:
                    silent = f"silent for up to {step.idle.seconds} s"
                    yield f"   - {silent}: {step.idle.why} ({step.idle.source})\n"
                yield from _ways(catalog, step)
    yield "\n## Printed rows that belong to no feature\n\n"
    for row, reason in sorted(not_conversations().items()):
        yield f"- `{row}`: {reason.strip()}\n"


def _ways(catalog: Catalog, step: Step) -> Iterator[str]:
    for index, way in enumerate(step.ways):
        for row in way:
            word = "or " if index else ""
            entry = catalog.entry_of_any_edition(row)
            sources = "; ".join(map(str, entry.row.sources))
            shown = f" ({sources})" if sources else ""
            yield f"   - {word}`{row}` {_packet(entry)}{shown}\n"


def _packet(entry: Entry) -> str:
    row = entry.row.corrected()
    protocols = "/".join(protocol.label for protocol in row.protocol.l4)
    ends = f"{_parties(row.source)} {_ports(row.source_ports)} → {_parties(row.destination)}"
    return f"{protocols} {ends} {_ports(row.destination_ports)}"


def _plain(entry: Entry) -> Record:
    row = entry.row.corrected()
    return {
        "row": entry.id,
        "from": [part.party for part in row.source.parties],
        "to": [part.party for part in row.destination.parties],
        "protocols": [protocol.label for protocol in row.protocol.l4],
        "source_ports": _ports(row.source_ports),
        "ports": _ports(row.destination_ports),
        "sources": [str(source) for source in row.sources],
    }


def _parties(cell: PartyCell) -> str:
    return ", ".join(part.party for part in cell.parties)


def _ports(cell: PortCell) -> str:
    """The ports of a cell under whatever condition, as `22, 5022`."""
    spans = [str(span) for part in cell.alternatives for span in part.ports]
    names = [part.parameter for part in cell.alternatives if part.parameter and not part.ports]
    return ", ".join(dict.fromkeys((*spans, *names))) or "any"
