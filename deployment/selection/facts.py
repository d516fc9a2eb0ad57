"""The facts that catalog rows name in `when`, as one deployment states them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, assert_never

from pydantic import BaseModel

from flowbridge.catalog.condition import CloudName, Facts, FactValue
from flowbridge.catalog.release_default import release_defaults
from flowbridge.catalog.row_switch import row_switches
from flowbridge.deployment.file.site import Cloud, Site, Size, options_type
from flowbridge.deployment.interfaces import CORE, EDGE
from flowbridge.deployment.selection.parameters import first_media_pair
from flowbridge.deployment.selection.reflection import has_static_nat, is_cluster, reflection_of

UNSET: Final = "none"
CARDS: Final = "edge_nics"


def facts_of(site: Site) -> Facts:
    """Every fact a `when` may name.

    `cloud`, `release`, `size`, `platform`, `nics` of an Expressway-E that is managed here (dual,
    single, none), `edge_nics` of one wherever it runs (the same, none: not known), `cluster`,
    `topology` (pair, core-only, edge-only, none), `multiplexed_media` (pair, first-media-ports),
    `reflection`, `static_nat`, `service` and `system` (sets), and one `option.<path>` an option;
    a switch of the catalog (`option.switches.<name>`) has its default where nothing sets it.
    What is left unset and the release decides has that default
    (`catalog/release-defaults.yaml`).
    """
    edge, core = site.expressway_e, site.expressway_c
    facts: dict[str, FactValue] = {
        "cloud": _cloud_name(site.cloud),
        "release": site.release.expressway,
        "size": site.size.value,
        "platform": site.platform,
        "nics": edge.nics if edge else "none",
        CARDS: _cards(site),
        "cluster": any(part is not None and is_cluster(part) for part in (edge, core)),
        "topology": _topology(site),
        "multiplexed_media": _multiplexed(site),
        "reflection": reflection_of(site).relays,
        "static_nat": edge is not None and has_static_nat(edge),
        "service": frozenset(site.services),
        "system": frozenset(
            {*site.systems, *(role for system in site.systems.values() for role in system.roles)}
        ),
    }
    facts.update(_default_options())
    facts.update({f"option.switches.{n}": each.default for n, each in row_switches().items()})
    facts.update(_options("option", site.options))
    for name, default in release_defaults().items():
        if facts[name] == UNSET:
            facts[name] = default.true_when.holds(facts)
    return facts


def option_paths() -> frozenset[str]:
    """`sip_udp`, `turn.tcp_443`: the options that every deployment states as facts."""
    return frozenset(name.removeprefix("option.") for name in _default_options())


def _default_options() -> dict[str, FactValue]:
    """Every option of every cloud where nobody writes it: rows may name any of them."""
    facts: dict[str, FactValue] = {}
    for cloud in Cloud:
        facts.update(_options("option", options_type(cloud).unwritten()))
    return facts


def _cloud_name(cloud: Cloud) -> CloudName:
    """The cloud as conditions of rows name it."""
    match cloud:
        case Cloud.AWS:
            return "aws"
        case Cloud.AZURE:
            return "azure"
        case Cloud.GCP:
            return "gcp"
        case _:
            assert_never(cloud)


def _cards(site: Site) -> str:
    far = site.systems.get(EDGE)
    known = site.expressway_e.nics if site.expressway_e else far.nics if far else None
    return known or UNSET


def _topology(site: Site) -> str:
    edge = site.expressway_e is not None or EDGE in site.systems
    core = site.expressway_c is not None or CORE in site.systems
    match edge, core:
        case True, True:
            return "pair"
        case False, True:
            return "core-only"
        case True, False:
            return "edge-only"
        case _:
            return "none"


def _multiplexed(site: Site) -> str:
    own = site.size is not Size.LARGE and site.options.multiplexed_media != first_media_pair(
        site.options
    )
    return "pair" if own else "first-media-ports"


def _options(path: str, section: BaseModel) -> Iterator[tuple[str, FactValue]]:
    for name in type(section).model_fields:
        yield from _option(f"{path}.{name}", getattr(section, name))


def _option(path: str, value: Any) -> Iterator[tuple[str, FactValue]]:
    match value:
        case BaseModel():
            yield from _options(path, value)
        case Mapping():
            for name, part in value.items():
                yield from _option(f"{path}.{name}", part)
        case tuple() | list() | set() | frozenset():
            yield path, frozenset(str(part) for part in value)
        case bool() | int():
            yield path, value
        case None:
            yield path, UNSET
        case _:
            yield path, str(value)
