"""What a check says of the firewalls on the way (`firewalls:`): whether each of them can say what
it has to let through, and whether what it would be told is exactly that.

The same configurations are printed by `flowbridge firewall`; here they are made, read back and
compared, so that "holds" is said of the whole way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from flowbridge.catalog.load import Catalog
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.selection.elsewhere import flows_elsewhere
from flowbridge.deployment.selection.resolution import Resolution

if TYPE_CHECKING:
    from flowbridge.providers.firewalls.configuration import Configuration

LEFT_OUT: Final = "stacks/firewall-left-out"
UNTOLD: Final = "stacks/firewall-untold"
NOT_PROVED: Final = "stacks/firewall-not-proved"
NOT_MADE: Final = "stacks/firewall-not-made"
EXCESS: Final = "stacks/firewall-excess"
FAILING: Final = frozenset({LEFT_OUT, UNTOLD, NOT_PROVED, NOT_MADE})
"""Those with which nothing holds: a flow does not pass, or nobody knows."""


def firewall_findings(resolution: Resolution, catalog: Catalog) -> Iterator[Finding]:
    """What is wrong with any firewall of a deployment; nothing for one without firewalls."""
    site = resolution.site
    if not site.firewalls:
        return
    # The languages of all firewalls, which few deployments ask for.
    from flowbridge.providers.firewalls.configuration import configure

    flows = (*resolution.flows, *flows_elsewhere(site, catalog))
    for name in sorted(site.firewalls):
        try:
            made = configure(site, name, flows)
        except ValueError as error:
            yield _found(NOT_MADE, name, f"its configuration cannot be made: {error}")
            continue
        yield from _of(name, made)


def _of(name: str, made: Configuration) -> Iterator[Finding]:
    for why in dict.fromkeys(each.why for each in made.refused):
        rows = {row for each in made.refused if each.why == why for row in each.term.rows}
        yield _found(LEFT_OUT, name, f"{why}: rows {', '.join(sorted(rows))} do not pass it")
    for sentence in made.untold:
        yield _found(UNTOLD, name, f"it cannot be told: {sentence}")
    for what, found in (
        ("does not let through, though it has to", made.missing),
        ("would let through, and no flow asks for it", made.unexplained),
    ):
        for packets in found.values():
            yield _found(NOT_PROVED, name, f"it {what}: for instance {packets.example()}")
    if made.excess:
        example = next(iter(made.excess.values())).example()
        told = f"it cannot say less than what lets this in as well: for instance {example}"
        yield _found(EXCESS, name, told)


def _found(name: str, firewall: str, message: str) -> Finding:
    return Finding(
        id=name,
        severity=Severity.WARNING,
        message=f"{firewall}: {message}",
        source="the configuration, read back",
        key=f"firewalls.{firewall}",
    )
