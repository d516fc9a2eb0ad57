"""What needs several keys of a deployment file at once. Single values are the model's business."""

from __future__ import annotations

from collections.abc import Iterator

from flowbridge.catalog.load import Catalog
from flowbridge.deployment.checks.accepted import acceptance_mistakes
from flowbridge.deployment.checks.address_plan import address_mistakes
from flowbridge.deployment.checks.cloud import network_mistakes
from flowbridge.deployment.checks.names import name_mistakes
from flowbridge.deployment.checks.port_settings import port_mistakes
from flowbridge.deployment.checks.prerequisites import prerequisite_mistakes
from flowbridge.deployment.file.site import AwsSite, Site
from flowbridge.deployment.management_sources import management_mistakes
from flowbridge.deployment.mistake import Mistake


def mistakes(
    site: Site, catalog: Catalog, *, network_id_elsewhere: bool = False
) -> tuple[Mistake, ...]:
    """Everything that is wrong with a site whose single values are right."""

    def all_of_them() -> Iterator[Mistake]:
        yield from name_mistakes(site, catalog)
        yield from address_mistakes(site)
        yield from network_mistakes(site, network_id_elsewhere=network_id_elsewhere)
        yield from port_mistakes(site)
        yield from management_mistakes(site, catalog)
        yield from prerequisite_mistakes(site)
        yield from acceptance_mistakes(site)
        yield from _quotas(site)

    return tuple(dict.fromkeys(all_of_them()))


def _quotas(site: Site) -> Iterator[Mistake]:
    if not isinstance(site, AwsSite):
        return
    quotas = site.quotas
    rules, groups = quotas.rules_per_security_group, quotas.security_groups_per_interface
    if rules is not None and groups is not None and rules * groups > 1000:
        yield Mistake(
            ("quotas",),
            f"{rules} rules in each of {groups} groups are more than the 1000 that AWS allows on "
            "one network interface; lower one of the two",
        )
