"""Flows of the requested services whose two ends both run elsewhere.

Nothing here opens them: they are for the firewalls on the other side, which need them all the same.
"""

from __future__ import annotations

from dataclasses import replace

from flowbridge.catalog.load import Catalog, entries_of
from flowbridge.deployment.clusters import views_of
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.flow import Flow
from flowbridge.deployment.resolve import context_of, merged
from flowbridge.deployment.selection.selection import choose


def flows_elsewhere(site: Site, catalog: Catalog) -> tuple[Flow, ...]:
    """In the order of their content; no end of any has an interface. Needs a validated site."""
    return merged(flow for view in views_of(site) for flow in _of_one(view.site, catalog))


def _of_one(site: Site, catalog: Catalog) -> list[Flow]:
    """The flows of a site without named clusters."""
    context = replace(context_of(site, catalog), unmanaged=True)
    corrected = site.options.errata == "corrected"
    found: list[Flow] = []
    for service in sorted(set(site.services)):
        for table in catalog.tables_of(service):
            for entry in entries_of(table):
                if corrected:
                    row = entry.row.corrected()
                elif entry.added is None:
                    row = entry.row
                else:
                    continue
                choice = choose(replace(entry, row=row), context)
                found.extend(
                    flow
                    for flow in choice.flows
                    if flow.source.interface is None and flow.destination.interface is None
                )
    return found
