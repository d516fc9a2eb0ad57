"""Names that must mean something: services, systems, tiers, parameters, ends of assertions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_network
from typing import Final

from flowbridge.catalog.load import Catalog, entries_of
from flowbridge.catalog.reading.located_yaml import Location
from flowbridge.deployment.checks.places import no_tier
from flowbridge.deployment.clusters import clusters, places_of, views_of
from flowbridge.deployment.file.site import Assertion, Services, Site, System
from flowbridge.deployment.interface import Network
from flowbridge.deployment.interface_key import InterfaceKey, workload_of
from flowbridge.deployment.interfaces import CORE, EDGE, EXTERNAL, INTERNAL, SINGLE
from flowbridge.deployment.mistake import Mistake, nearest
from flowbridge.deployment.selection.parties import CLUSTER_PARTIES

_OWN_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
# What has an option of its own is not set twice.
OPTION_OF: Final = {
    "media": "options.media_ports",
    "multiplexed-rtp": "options.multiplexed_media",
    "multiplexed-rtcp": "options.multiplexed_media",
    "multiplexed-media": "options.multiplexed_media",
    "turn": "options.turn.port",
    "traversal-sip": "options.traversal_zones",
    "traversal-h323": "options.traversal_zones",
    "admin-https": "options.admin.https_port",
    "admin-ssh": "options.admin.ssh_port",
}


def name_mistakes(site: Site, catalog: Catalog) -> Iterator[Mistake]:
    """Every name that the catalog or the file itself does not know, with the nearest one."""
    yield from _systems(site, catalog)
    yield from _tiers(site)
    yield from _ports(site, catalog)
    yield from _open_to(site, catalog)
    yield from _switches(site, catalog)


def assertion_mistakes(site: Site, catalog: Catalog) -> Iterator[Mistake]:
    """Ends of `tests:` that are none, and ports that a protocol does not have."""
    yield from _assertions(site, catalog)


def service_mistakes(site: Site, catalog: Catalog) -> Iterator[Mistake]:
    """Services that the catalog does not have, of the file and of its clusters."""
    edges, cores = clusters(site)
    listed: list[tuple[Location, Services]] = [(("services",), site.services)]
    listed += [(("expressway_e", n, "services"), each.services or ()) for n, each in edges.items()]
    listed += [(("expressway_c", n, "services"), each.services or ()) for n, each in cores.items()]
    if not any(services for _, services in listed):
        yield Mistake(("services",), "this key is missing; write it")
    known = set(catalog.services)
    for location, services in listed:
        for service, place in places_of(services):
            if service not in known:
                message = f"there is no service {service!r}; {nearest(service, known)}"
                yield Mistake((*location, place), message)
            elif isinstance(services, Mapping):
                yield from _narrowed(site, (*location, place), service, services[service], catalog)


def _narrowed(
    site: Site,
    here: Location,
    service: str,
    peers: Mapping[str, tuple[Network, ...]],
    catalog: Catalog,
) -> Iterator[Mistake]:
    """Parties that no row of the service names, and those that have rules of their own."""
    named = {
        reference.party
        for table in catalog.tables_of(service)
        for entry in entries_of(table)
        for cell in (entry.row.corrected().source, entry.row.corrected().destination)
        for reference in cell.parties
    }
    for party, addresses in peers.items():
        system = site.systems.get(party)
        if party not in named or party in (EDGE, CORE):
            free = named - {EDGE, CORE, *CLUSTER_PARTIES}
            message = f"no row of {service} names {party!r}; {nearest(party, free)}"
            yield Mistake((*here, party), message)
        elif system is not None and system.tier is not None:
            yield Mistake(
                (*here, party),
                f"{party} runs here, where its group has rules for all its hosts; leave it out, or "
                "give the hosts of this service a system of their own with `roles`",
            )
        elif not addresses:
            message = "at least one address is needed here; write it, or leave the party out"
            yield Mistake((*here, party), message)


def system_names(catalog: Catalog) -> set[str]:
    """What may stand under `systems`: every party but the peers of a cluster."""
    return catalog.parties.keys() - set(CLUSTER_PARTIES)


def parameter_names(catalog: Catalog) -> set[str]:
    """What may stand under `options.ports`: every parameter without an option of its own."""
    return catalog.parameters.keys() - OPTION_OF.keys()


def _systems(site: Site, catalog: Catalog) -> Iterator[Mistake]:
    known = system_names(catalog)
    others = {word: name for name, party in catalog.parties.items() for word in party.also}
    for name, system in site.systems.items():
        here: Location = ("systems", name)
        yield from _roles(name, system, known, others)
        if name not in known and system.roles:
            if not _OWN_NAME.fullmatch(name):
                message = "write lower-case letters a-z, digits and hyphens, starting with a letter"
                yield Mistake(here, f"{name!r} cannot be this name: {message}")
            continue
        if name not in known:
            near = nearest(name, known, others)
            message = (
                f"the documents name no system {name!r}; {near} (a system with a name of your own "
                "says whose part it plays: `roles`)"
            )
            yield Mistake(here, message)
            continue
        section = {EDGE: site.expressway_e, CORE: site.expressway_c}.get(name)
        if section is not None:
            key = name.replace("-", "_")
            yield Mistake(
                here,
                f"{name} is described under {key} already; where this is another cluster, describe "
                f"both there by name ({key}: {{one: {{tier: ...}}, other: {{tier: ...}}}}), and a "
                f"further peer of the same cluster that runs elsewhere as {key}.elsewhere",
            )
        if system.nics is not None and name != EDGE:
            yield Mistake((*here, "nics"), f"only {EDGE} has `nics`; leave it out")
        if system.tier is not None and name in (EDGE, CORE):
            key = name.replace("-", "_")
            yield Mistake(here, f"an {name} in a tier of this deployment is described under {key}")
        if system.tier is not None and catalog.parties[name].default == "internet":
            yield Mistake(
                (*here, "tier"),
                f"{name} stands for hosts on the internet, which no tier holds; leave `tier` out",
            )


def _roles(
    name: str, system: System, known: set[str], others: Mapping[str, str]
) -> Iterator[Mistake]:
    """Parts that no host can play: those of nobody, and the Expressways'."""
    for index, role in enumerate(system.roles):
        here: Location = ("systems", name, "roles", index)
        if role not in known and role not in others:
            near = nearest(role, known, others)
            yield Mistake(here, f"the documents name no system {role!r}; {near}")
        elif role in (EDGE, CORE):
            key = role.replace("-", "_")
            yield Mistake(here, f"an {role} is described under {key}; leave this role out")


def _tiers(site: Site) -> Iterator[Mistake]:
    known = site.network.tiers
    uses: list[tuple[Location, str | None]] = [
        (("systems", name, "tier"), system.tier) for name, system in site.systems.items()
    ]
    if (edge := site.expressway_e) is not None:
        uses.append((("expressway_e", "tier"), edge.tier))
        uses.append((("expressway_e", "internal_tier"), edge.internal_tier))
        if edge.nics == "single" and edge.internal_tier is not None:
            yield Mistake(
                ("expressway_e", "internal_tier"),
                "one card has no inner tier; leave it out, or write nics: dual",
            )
    if (core := site.expressway_c) is not None:
        uses.append((("expressway_c", "tier"), core.tier))
    for location, tier in uses:
        if tier is not None and tier not in known:
            instead = no_tier(site, tier) or nearest(tier, known)
            where = "no place has a" if site.places else "network.tiers has no"
            message = f"{where} tier {tier!r}; {instead}"
            yield Mistake(location, message)


def _ports(site: Site, catalog: Catalog) -> Iterator[Mistake]:
    free = parameter_names(catalog)
    for name in site.options.ports:
        here: Location = ("options", "ports", name)
        if name in OPTION_OF:
            yield Mistake(here, f"set {OPTION_OF[name]} instead")
        elif name not in free:
            yield Mistake(here, f"no row names the ports {name!r}; {nearest(name, free)}")


def _open_to(site: Site, catalog: Catalog) -> Iterator[Mistake]:
    for name in site.options.open_to_anyone:
        if name not in catalog.parties:
            message = f"the documents name no party {name!r}; {nearest(name, catalog.parties)}"
            yield Mistake(("options", "open_to_anyone", name), message)


def _switches(site: Site, catalog: Catalog) -> Iterator[Mistake]:
    for name, value in site.options.switches.items():
        here: Location = ("options", "switches", name)
        switch = catalog.switches.get(name)
        if switch is None:
            yield Mistake(here, f"there is no switch {name!r}; {nearest(name, catalog.switches)}")
        elif not switch.takes(value):
            yield Mistake(here, f"write one of {', '.join(switch.choices)}")


def interface_keys(site: Site) -> set[str]:
    """`expressway-e/external` and so on: the interfaces there will be, those of named clusters
    also without their names."""
    keys = {f"{name}/{SINGLE}" for name, system in site.systems.items() if system.tier is not None}
    for view in views_of(site):
        if (edge := view.site.expressway_e) is not None:
            cards = (SINGLE,) if edge.nics == "single" else (EXTERNAL, INTERNAL)
            names = {EDGE, f"{EDGE}-{view.edge}" if view.edge else EDGE}
            keys |= {str(InterfaceKey(name, card)) for name in names for card in cards}
        if view.site.expressway_c is not None:
            keys.add(str(InterfaceKey(CORE, SINGLE)))
            keys |= {str(InterfaceKey(f"{CORE}-{view.core}", SINGLE))} if view.core else set()
    return keys


def _assertions(site: Site, catalog: Catalog) -> Iterator[Mistake]:
    interfaces = interface_keys(site)
    workloads = {workload_of(key) for key in interfaces}
    standing = {name for name, party in catalog.parties.items() if party.default == "internet"}
    roles = {role for system in site.systems.values() for role in system.roles}
    known = interfaces | workloads | set(site.systems) | standing | roles
    for index, assertion in enumerate(site.tests):
        yield from _without_ports(index, assertion)
        for key, word in (("from", assertion.from_), ("to", assertion.to)):
            if word in known or _is_address(word):
                continue
            here: Location = ("tests", index, key)
            if word in catalog.parties:
                yield Mistake(
                    here, f"{word} is not in this deployment; add systems.{word}.addresses"
                )
            else:
                yield Mistake(here, f"{word!r} is no end of a flow here; {_ends(word, known)}")


def _without_ports(index: int, assertion: Assertion) -> Iterator[Mistake]:
    """Ports asked of a protocol that has none would be passed over in silence."""
    lacking = {"icmp": ("source_ports",), "icmpv6": ("source_ports",)}
    if assertion.protocol in ("tcp", "udp"):
        return
    for key in lacking.get(assertion.protocol, ("ports", "source_ports")):
        if getattr(assertion, key):
            words = key.replace("_", " ")
            yield Mistake(
                ("tests", index, key), f"{assertion.protocol} has no {words}; leave them out"
            )


def _ends(word: str, known: Iterable[str]) -> str:
    return f"{nearest(word, known)} (or an address such as 10.0.1.11 or 10.0.1.0/24)"


def _is_address(word: str) -> bool:
    try:
        ip_network(word)
    except ValueError:
        return False
    return True
