"""All that is read of one place, by GET calls and the one POST that lists effective admin rules.

An answer is believed only where it does not contradict itself: a list has a `value`, an NSG that a
subnet or card refers to is among the NSGs, a card that a subnet or NSG refers to is among the
cards. A page that was lost, or resources that a narrow role hides, show there and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.policy.audit.estate import Cause, Unread
from flowbridge.providers.azure.live.answers import Answers, Part, Place, network_parts, properties
from flowbridge.providers.azure.live.client import client_of
from flowbridge.providers.azure.live.faults import fault_of
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.gathering import Gathering
from flowbridge.providers.live.reading import GarbledError

if TYPE_CHECKING:
    from azure.mgmt.network import NetworkManagementClient

_MOST_ADMIN_PAGES: Final = 1000
_SCALE_SET: Final = re.compile(
    r"/resourceGroups/(?P<group>[^/]+)/providers/Microsoft\.Compute/virtualMachineScaleSets/"
    r"(?P<name>[^/]+)/virtualMachines/",
    re.IGNORECASE,
)
_CARD: Final = re.compile(
    r"^(?P<id>/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network/"
    r"networkInterfaces/[^/]+)(?:/|$)",
    re.IGNORECASE,
)

Reading = Gathering[Place, Part]


def fetch(site: Site, access: Access, *, asides: bool = False) -> Answers:
    """See `providers.live.contract.LiveReader.fetch`."""
    place = Place.of(site, access)
    reading = Reading(place, fault_of)
    if not place.subscription:
        message = "no subscription is named"
        remedy = "Write its id as `provider.subscription`."
        reading.unread.append(
            Unread(
                scope=place.scope,
                call="Microsoft.Network/*/read",
                cause=Cause.ABSENT,
                message=message,
                remedy=remedy,
            )
        )
        return _answers(reading)
    try:
        client = client_of(place, access)
    except Exception as error:
        # Whatever an SDK raises while it finds credentials is a fault of this place, not ours.
        reading.fail("credentials", error)
        return _answers(reading)
    with client:
        _read(reading, client)
        if asides:
            _read_asides(reading, client)
    return _answers(reading)


def _answers(reading: Reading) -> Answers:
    return Answers(reading.place, reading.parts, tuple(reading.unread), tuple(reading.asides))


def _read(reading: Reading, client: NetworkManagementClient) -> None:
    place = reading.place
    reading.keep(
        Part.NETWORKS,
        "Microsoft.Network/virtualNetworks/read",
        lambda: [_network(client, each) for each in place.networks],
    )
    if any(unread.cause is Cause.ABSENT for unread in reading.unread):
        return
    peered, unseen = _peered(reading, client)
    reading.parts[Part.UNSEEN] = unseen
    reading.keep(
        Part.CARDS,
        "Microsoft.Network/networkInterfaces/read",
        lambda: _cards(reading, client, peered),
    )
    reading.keep(
        Part.NSGS,
        "Microsoft.Network/networkSecurityGroups/read",
        lambda: _nsgs(reading, client),
    )
    reading.keep(
        Part.GROUPS,
        "Microsoft.Network/applicationSecurityGroups/read",
        lambda: _listed(client.application_security_groups.list_all),
    )
    reading.keep(
        Part.ADDRESSES,
        "Microsoft.Network/publicIPAddresses/read",
        lambda: _listed(client.public_ip_addresses.list_all),
    )
    reading.keep(
        Part.ADMIN_RULES,
        "Microsoft.Network/virtualNetworks/listNetworkManagerEffectiveSecurityAdminRules/action",
        lambda: [row for each in place.networks for row in _admin_rules(client, each)],
    )


def _read_asides(reading: Reading, client: NetworkManagementClient) -> None:
    """What only a look before the apply needs."""
    reading.keep(
        Part.USAGES,
        "Microsoft.Network/locations/usages/read",
        lambda: _listed(client.usages.list, reading.place.region),
        aside=True,
    )
    group = reading.place.resource_group
    # A resource group that is not there answers 404 to every question about what is in it.
    reading.keep(
        Part.RESOURCE_GROUP,
        "Microsoft.Network/networkSecurityGroups/read",
        lambda: _listed(client.network_security_groups.list, group),
        aside=True,
    )


def _listed(ask: Callable[..., Any], *of: str) -> list[Row]:
    """All pages of a list. GarbledError for a page that is none, or that repeats."""

    def rows(objects: Any) -> Any:
        return [_plain(each) for each in objects]

    pages = ask(*of, cls=rows, raw_response_hook=_check_page).by_page()
    found: list[Row] = []
    seen: set[str] = set()
    for page in pages:
        found.extend(page)
        following = pages.continuation_token
        if following in seen:
            raise GarbledError("the pages of the list repeat")
        if following:
            seen.add(following)
    return found


def _check_page(response: Any) -> None:
    """A list without `value` would be taken for an empty one by the SDK."""
    if response.http_response.status_code != 200:
        return
    body = response.http_response.json()
    if not isinstance(body, dict) or not isinstance(body.get("value"), list):
        raise GarbledError("a list without its `value`")


def _plain(resource: Any) -> Row:
    """The resource as JSON, in the API's own names."""
    row = resource.as_dict()
    if not isinstance(row, dict) or not row.get("id", row.get("name")):
        raise GarbledError("a resource without an id")
    return row


def _network(client: NetworkManagementClient, network: str) -> Row:
    _, group, name = network_parts(network)
    row = _plain(client.virtual_networks.get(group, name))
    if not isinstance(properties(row).get("subnets"), list):
        raise GarbledError(f"the virtual network {name} is given without its subnets")
    return row


def _peered(
    reading: Reading, client: NetworkManagementClient
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """The networks of our subscription that ours are peered with, and those that were not read.

    What cannot be read of them ends no verdict by itself: a rule whose peers may be there is told
    as one that cannot be told. Machines of another subscription are in no group of ours.
    """
    place = reading.place
    own = f"/subscriptions/{place.subscription}/".lower()
    ours = {network.lower() for network in place.networks}
    wanted = {
        remote.lower(): remote
        for network in reading.parts.get(Part.NETWORKS, ())
        for peering in properties(network).get("virtualNetworkPeerings") or ()
        for remote in _referred([peering], "remoteVirtualNetwork")
        if remote.lower().startswith(own) and remote.lower() not in ours
    }
    found: list[Row] = []
    unseen: list[Row] = []
    for remote in () if reading.over else wanted.values():
        try:
            found.append(_network(client, remote))
        except Exception as error:
            # Nothing but the SDK runs here: what it raises is an answer, too.
            fault = fault_of(error)
            unseen.append({"id": remote, "cause": str(fault.cause), "message": fault.message})
    return tuple(found), tuple(unseen)


def _referred(rows: Iterable[Row], key: str) -> Iterator[str]:
    for row in rows:
        found = properties(row).get(key)
        for each in found if isinstance(found, list) else [found]:
            if isinstance(each, dict) and each.get("id"):
                yield str(each["id"])


def _subnets(reading: Reading) -> list[Row]:
    return [
        subnet
        for network in reading.parts.get(Part.NETWORKS, ())
        for subnet in properties(network)["subnets"]
    ]


def _cards(reading: Reading, client: NetworkManagementClient, peered: Iterable[Row]) -> list[Row]:
    """The network interfaces, those of scale sets in our subnets and in peered ones included:
    rules may name groups that these are in."""
    placed = list(_referred(_subnets(reading), "ipConfigurations"))
    found = _listed(client.network_interfaces.list_all)
    beyond = [s for network in peered for s in properties(network).get("subnets") or ()]
    everyone = (*placed, *_referred(beyond, "ipConfigurations"))
    sets = {(m["group"], m["name"]) for text in everyone if (m := _SCALE_SET.search(text))}
    for group, name in sorted(sets):
        found += _listed(
            client.network_interfaces.list_virtual_machine_scale_set_network_interfaces, group, name
        )
    known = {str(row["id"]).lower() for row in found}
    for text in placed:
        card = _CARD.match(text)
        if card is not None and card["id"].lower() not in known:
            raise GarbledError(f"a subnet holds {card['id']}, and the list of interfaces does not")
    return found


def _nsgs(reading: Reading, client: NetworkManagementClient) -> list[Row]:
    found = _listed(client.network_security_groups.list_all)
    known = {str(row["id"]).lower() for row in found}
    cards = reading.parts.get(Part.CARDS, ())
    for nsg in _referred((*_subnets(reading), *cards), "networkSecurityGroup"):
        if nsg.lower() not in known:
            raise GarbledError(f"{nsg} is attached, and not in the list of security groups")
    if Part.CARDS in reading.parts:
        there = {str(row["id"]).lower() for row in cards}
        for card in _referred(found, "networkInterfaces"):
            plain = _CARD.match(card)
            if plain is not None and card.lower() not in there:
                raise GarbledError(f"an NSG is on {card}, which the list of interfaces leaves out")
    for row in found:
        if not isinstance(properties(row).get("securityRules"), list):
            raise GarbledError(f"{row['id']} is given without its rules")
    return found


def _admin_rules(client: NetworkManagementClient, network: str) -> list[Row]:
    """The security admin rules in force in one virtual network, each with its network's id."""
    from azure.mgmt.network.models import QueryRequestOptions

    _, group, name = network_parts(network)
    found: list[Row] = []
    token: str | None = None
    for _ in range(_MOST_ADMIN_PAGES):
        answer = client.list_network_manager_effective_security_admin_rules(
            group, name, QueryRequestOptions(skip_token=token)
        ).as_dict()
        if not isinstance(answer, dict) or not isinstance(answer.get("value", []), list):
            raise GarbledError("a list without its `value`")
        found += [{**row, "network": network} for row in answer.get("value", [])]
        following = answer.get("skipToken") or None
        if following is None:
            return found
        if following == token:
            break
        token = following
    raise GarbledError("the pages of the list repeat")
