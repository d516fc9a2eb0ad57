"""What needs several keys of a deployment file at once. Single values are the model's business."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from flowbridge.catalog.load import Catalog
from flowbridge.deployment.checks.accepted import acceptance_mistakes
from flowbridge.deployment.checks.address_plan import address_mistakes, shared_mistakes
from flowbridge.deployment.checks.cloud import network_mistakes
from flowbridge.deployment.checks.firewalls import firewall_mistakes
from flowbridge.deployment.checks.names import assertion_mistakes, name_mistakes, service_mistakes
from flowbridge.deployment.checks.places import link_mistakes, range_mistakes, tier_mistakes
from flowbridge.deployment.checks.port_settings import port_mistakes
from flowbridge.deployment.checks.prerequisites import prerequisite_mistakes
from flowbridge.deployment.checks.settings import setting_mistakes
from flowbridge.deployment.clusters import View, cluster_mistakes, views_of
from flowbridge.deployment.file.site import AwsSite, Site
from flowbridge.deployment.management_sources import management_mistakes
from flowbridge.deployment.mistake import Mistake


def mistakes(
    site: Site, catalog: Catalog, *, network_id_elsewhere: bool = False
) -> tuple[Mistake, ...]:
    """Everything that is wrong with a site whose single values are right."""

    def all_of_them() -> Iterator[Mistake]:
        for view in views_of(site):
            for mistake in _of_view(view, catalog, network_id_elsewhere):
                yield replace(mistake, location=view.in_file(mistake.location))
        yield from cluster_mistakes(site)
        yield from service_mistakes(site, catalog)
        yield from shared_mistakes(site)
        yield from assertion_mistakes(site, catalog)
        yield from acceptance_mistakes(site)
        yield from link_mistakes(site)
        yield from _of_account(site)
        yield from firewall_mistakes(site)

    return tuple(dict.fromkeys(all_of_them()))


def whole_mistakes(site: Site, catalog: Catalog) -> tuple[Mistake, ...]:
    """The same of a deployment with places, without what each place has of its own."""

    def all_of_them() -> Iterator[Mistake]:
        for view in views_of(site):
            for mistake in _of_view(view, catalog, None):
                yield replace(mistake, location=view.in_file(mistake.location))
            for mistake in tier_mistakes(view.site):
                yield replace(mistake, location=view.in_file(mistake.location))
        yield from cluster_mistakes(site)
        yield from service_mistakes(site, catalog)
        yield from shared_mistakes(site)
        yield from assertion_mistakes(site, catalog)
        yield from acceptance_mistakes(site)
        yield from link_mistakes(site)
        yield from range_mistakes(site)
        yield from firewall_mistakes(site)

    return tuple(dict.fromkeys(all_of_them()))


def place_mistakes(site: Site, *, network_id_elsewhere: bool = False) -> tuple[Mistake, ...]:
    """What is wrong with what one place has of its own."""

    def all_of_them() -> Iterator[Mistake]:
        yield from network_mistakes(site, network_id_elsewhere=network_id_elsewhere)
        yield from _of_account(site)

    return tuple(dict.fromkeys(all_of_them()))


def _of_account(site: Site) -> Iterator[Mistake]:
    yield from _quotas(site)
    yield from setting_mistakes(site)


def _of_view(view: View, catalog: Catalog, elsewhere: bool | None) -> Iterator[Mistake]:
    """What is wrong with the deployment as one pair of clusters sees it.

    `elsewhere`: whether an app gives the network's id; None: of the network nothing is asked here.
    """
    site = view.site
    yield from name_mistakes(site, catalog)
    yield from address_mistakes(site)
    if elsewhere is not None:
        yield from network_mistakes(site, network_id_elsewhere=elsewhere)
    yield from port_mistakes(site)
    yield from management_mistakes(site, catalog)
    if not view.rest:
        yield from prerequisite_mistakes(site)


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
