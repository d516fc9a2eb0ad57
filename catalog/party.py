"""Parties: who the documents name as a source or a destination (`catalog/parties.yaml`)."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, IPvAnyNetwork

from flowbridge.catalog.record import Entries, Record


class PartyKind(StrEnum):
    """What a party is to a firewall. A deployment may run any `system` as a workload of its own."""

    WORKLOAD = "workload"  # an Expressway of this deployment, described by its peers
    SYSTEM = "system"  # named hosts: the deployment lists their addresses
    INTERNET = "internet"  # hosts outside that nobody here can list


class Party(Record):
    """One party, in English and in the spellings that the documents print.

    `default: internet` means all addresses where the deployment does not narrow the party; a party
    without a default has to be listed, or its rows are absent. `host_names` are the names by
    which a document prints it.
    `also` are words that people write for it in a deployment file: it is what they mean.
    `people`: somebody sits there, so a public address of it may be that of a whole office.
    `addresses` are those of a service of a cloud that has the same ones for everybody.
    `played_by` is the party whose hosts play this part where the deployment lists none of its own.
    """

    en: str
    ja: tuple[str, ...] = Field(min_length=1)
    kind: PartyKind
    default: Literal["internet"] | None = None
    host_names: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    people: bool = False
    addresses: tuple[IPvAnyNetwork, ...] = ()
    played_by: str | None = None


class Parties(Entries[dict[str, Party]]):
    """All parties by name."""
