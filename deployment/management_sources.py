"""Management ports open to management sources, never to the whole internet unasked.

The port guide, chapter 2: management ports should be open to connections from inside only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from flowbridge.catalog.load import Catalog
from flowbridge.deployment.addresses import public_size
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Network
from flowbridge.deployment.mistake import Mistake

ALWAYS_MANAGEMENT: Final = frozenset({"admin-pc", "snmp-manager", "tms", "tms-external"})
TOO_MANY: Final = {4: 2**24, 6: 2**96}
"""Public addresses from which a source is no longer one organisation's: a /8, an IPv6 /32."""


def management_parties(site: Site, catalog: Catalog) -> frozenset[str]:
    """The parties from which rows of the requested services allow administration."""
    known = set(catalog.services)
    return ALWAYS_MANAGEMENT | {
        reference.party
        for service in site.services
        if service in known
        for table in catalog.tables_of(service)
        for row in table.rows
        if row.management
        for reference in row.source.parties
    }


def opens_to_many(addresses: Iterable[Network]) -> bool:
    """Whether these are so many public addresses that they cannot be one organisation's."""
    listed = tuple(addresses)
    return any(public_size(listed, version) >= limit for version, limit in TOO_MANY.items())


def management_mistakes(site: Site, catalog: Catalog) -> Iterator[Mistake]:
    """Management sources that are (nearly) the whole internet."""
    if site.options.admin.allow_from_anywhere is not None:
        return
    parties = management_parties(site, catalog)
    for name, system in site.systems.items():
        if name not in parties:
            continue
        if opens_to_many(system.addresses):
            yield Mistake(
                ("systems", name, "addresses"),
                "this opens management ports to a large part of the internet; list the addresses "
                "that administer, or say in options.admin.allow_from_anywhere, in a sentence, why "
                "anyone may",
                "guide/management-from-inside",
            )
