"""What a service builds on: Expressways it needs, and services that come first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interfaces import CORE, EDGE
from flowbridge.deployment.mistake import Mistake

# Each of these tables has its traffic cross Expressway-C and Expressway-E.
TRAVERSAL: Final = frozenset(
    {
        "traversal-pair",
        "mra",
        "jabber-guest",
        "imp-federation-microsoft",
        "cms-web-proxy",
        "cms-sip-edge",
        "cms-sip-edge-microsoft",
        "cms-microsoft-p2p",
        "xmpp-federation",
    }
)
NEEDS: Final = {
    **dict.fromkeys(TRAVERSAL, (CORE, EDGE)),
    "h323-calls": (EDGE,),
    "acme": (EDGE,),
}
"""Service to the Expressways without which it means nothing."""

SOME_EXPRESSWAY: Final = frozenset(
    {
        "single-system",
        "sip-calls",
        "cluster",
        "tms",
        "ldap",
        "serviceability",
        "smart-licensing",
        "email-notification",
        "webex-hybrid",
    }
)
FIRST: Final = {"mra": "traversal-pair"}
"""Service to the one it is built on (port guide, chapter 1)."""


def prerequisite_mistakes(site: Site) -> Iterator[Mistake]:
    """Services that lack what they build on."""
    there = {
        EDGE: site.expressway_e is not None or EDGE in site.systems,
        CORE: site.expressway_c is not None or CORE in site.systems,
    }
    for index, service in enumerate(site.services):
        missing = [name for name in NEEDS.get(service, ()) if not there[name]]
        for name in missing:
            key = name.replace("-", "_")
            yield Mistake(
                ("services", index),
                f"{service} needs an {name}: describe it under {key} (or, where it runs elsewhere, "
                f"give its addresses under systems.{name})",
            )
        if service in SOME_EXPRESSWAY and not any(there.values()):
            yield Mistake(
                ("services", index),
                f"{service} needs an Expressway: describe expressway_c or expressway_e",
            )
        first = FIRST.get(service)
        if first is not None and first not in site.services:
            yield Mistake(
                ("services", index),
                f"{service} is built on {first}; add {first} to services",
                "guide/mra-needs-traversal-pair",
            )
