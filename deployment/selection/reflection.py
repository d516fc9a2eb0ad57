"""NAT reflection: when hosts of this deployment talk to Expressway-E by its public address.

Two different things are meant by it, and the documents treat them apart.

*Relays*: an Expressway-E sends TURN relay packets to its own public address (port guide, row
expressway/24/11 and its footnote 5). From X12.5.3 it finds out its own address without, and
X12.5.5 extends static NAT to clusters, where peers then have to reach each other's private
address of the outer card.

*Core*: with one card and static NAT, Expressway-C and other inside hosts reach Expressway-E by
its public address (port guide, note below table 21).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flowbridge.catalog.condition import Facts
from flowbridge.catalog.release_default import release_defaults
from flowbridge.deployment.file.site import ExpresswayC, ExpresswayE, Site
from flowbridge.deployment.interfaces import EDGE

RELAYS: Final = "reflection"
"""The fact in `catalog/release-defaults.yaml` that says which releases need it for relays."""


@dataclass(frozen=True, slots=True)
class Reflection:
    """What is reflected in a deployment, and in words what decided it.

    `possible`: a host inside may use Expressway-E's public address where a row says so.
    `demanded`: the deployment says `always`, so a reflected address that nobody names is refused.
    """

    relays: bool
    core: bool
    possible: bool
    reason: str
    demanded: bool = False


def has_static_nat(edge: ExpresswayE) -> bool:
    """Whether a public address is translated to Expressway-E."""
    if edge.static_nat is not None:
        return edge.static_nat
    return any(peer.public for peer in edge.peers)


def is_cluster(part: ExpresswayE | ExpresswayC) -> bool:
    """Whether an Expressway has two or more peers, wherever they run."""
    return len(part.peers) > 1 or bool(part.elsewhere)


def relays_need_it(release: str, edge: ExpresswayE) -> bool:
    """Whether TURN relays of this release cannot do without, with a public address translated."""
    facts: Facts = {"release": release, "cluster": is_cluster(edge)}
    return release_defaults()[RELAYS].true_when.holds(facts)


def _has_public_address_elsewhere(site: Site) -> bool:
    """Whether an Expressway-E that runs elsewhere is a system here, with its public address."""
    far = site.systems.get(EDGE)
    return far is not None and bool(far.public)


def reflection_of(site: Site) -> Reflection:
    """See the module's opening."""
    edge = site.expressway_e
    mode = site.options.nat_reflection
    if not (_has_public_address_elsewhere(site) if edge is None else has_static_nat(edge)):
        return Reflection(False, False, False, "no public address is translated to Expressway-E")
    if mode == "never":
        return Reflection(False, False, False, "options.nat_reflection is never")
    if edge is None:
        # Its relays are the other deployment's affair.
        single = site.systems[EDGE].nics == "single"
        reason = "systems.expressway-e has a public address"
        return Reflection(False, single, True, reason, demanded=single and mode == "always")
    single = edge.nics == "single"
    if mode == "always":
        reason = "options.nat_reflection is always"
        return Reflection(True, single, True, reason, demanded=True)
    relays = relays_need_it(site.release.expressway, edge)
    words = "a cluster" if is_cluster(edge) else "a standalone Expressway-E"
    needs = "needs" if relays else "needs no"
    row = release_defaults()[RELAYS].row
    reason = f"{words} on {site.release.expressway} {needs} NAT reflection for TURN relays ({row})"
    if single:
        reason += "; one card with static NAT is reached by its public address from inside"
    return Reflection(relays, single, True, reason)
