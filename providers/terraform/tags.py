"""The tags by which what was emitted is known again: `flowbridge:site`, `:tier`, `:workload`, ...

A resource without the site's tag is taken as this site's: hand-written files rarely repeat it.
"""

from __future__ import annotations

from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface
from flowbridge.providers.terraform.blocks import Block


def is_for_interface(block: Block, interface: Interface, site: Site) -> bool:
    """Whether the tags of `block` name `interface`."""
    return (
        block.tag("flowbridge:workload") == interface.workload
        and block.tag("flowbridge:interface") == interface.name
        and _is_of_site(block, site)
    )


def is_for_tier(block: Block, tier: str, site: Site) -> bool:
    """Whether the tags of `block` name `tier`."""
    return block.tag("flowbridge:tier") == tier and _is_of_site(block, site)


def _is_of_site(block: Block, site: Site) -> bool:
    return block.tag("flowbridge:site") in (None, site.name)
