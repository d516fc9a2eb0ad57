"""What a load balancer has to translate in front of a deployment: the same question on every cloud.

No rule of a cloud rewrites ports, and a public address is translated to an address only. So where
the documents want 80 to arrive at 9980 and 443 at 9443 (`catalog/translations.yaml`), a load
balancer has to do it; each cloud's own is in the `port_translation` of its folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.interface import Interface, Member
from flowbridge.deployment.interfaces import EDGE, EXTERNAL, SINGLE
from flowbridge.policy.compiled import Policy

if TYPE_CHECKING:
    from flowbridge.catalog.translation import Translation

LABEL = "jabber-guest"
_KEY = "options.jabber_guest"


@dataclass(frozen=True, slots=True)
class Translator:
    """A load balancer to be made: what it translates, and towards which hosts."""

    site: Site
    interface: Interface
    ports: tuple[Translation, ...]

    @property
    def targets(self) -> tuple[tuple[Member, str], ...]:
        """The hosts by their first private IPv4 address: load balancers here forward IPv4."""
        return tuple(
            (member, str(network.network_address))
            for member in self.interface.members
            for network in [n for n in member.private if n.version == 4][:1]
        )


def translator_of(policy: Policy, site: Site) -> Translator | None:
    """The load balancer that `site` asks for; None where it asks for none or has no use for it."""
    options = site.options.jabber_guest
    if options.translator == "none" or not options.translation:
        return None
    from flowbridge.catalog.translation import translations

    ports = tuple(part for part in translations() if part.service in site.services)
    for interface in policy.interfaces:
        if ports and interface.kind == EDGE and interface.name in (EXTERNAL, SINGLE):
            return Translator(site, interface, ports)
    return None


def useless(policy: Policy, site: Site) -> Iterator[Finding]:
    """A load balancer that is asked for and has nothing to do."""
    options = site.options.jabber_guest
    if options.translator == "none" or translator_of(policy, site) is not None:
        return
    if not options.translation:
        message = "no port is translated (translation is false), and a translator is asked for"
        advice = f"leave one of `{_KEY}.translation` and `{_KEY}.translator` out"
    else:
        message = "a translator is asked for, and no Expressway-E with jabber-guest is here"
        advice = f"add the service and expressway_e, or leave `{_KEY}.translator` out"
    yield refusal("port-translation/useless", f"{message}: {advice}", f"{_KEY}.translator")


def refusal(name: str, message: str, key: str) -> Finding:
    """What keeps the load balancer from being made."""
    return Finding(
        id=name,
        severity=Severity.REFUSAL,
        message=message,
        source="port guide, tables 20 and 21",
        key=key,
    )
