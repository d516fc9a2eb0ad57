"""Live NSGs in the shape of Terraform JSON, so that they have one meaning.

What a rule lets through is decided in `semantics_rule` alone. Here the API's fields get the names
that Terraform gives them, and nothing is interpreted. A resource's Terraform name is made from its
id. A card is judged at each of its IP configurations, because application security groups hold
those: `network_interface_id` is the id of an IP configuration.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from typing import Any, Final

from flowbridge.providers.azure.emit.terraform import ASSOCIATION, GROUP, MEMBERSHIP, NSG
from flowbridge.providers.azure.live.answers import properties, tags_of
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.reading import ODD_SHAPE
from flowbridge.providers.provider import TerraformJson
from flowbridge.providers.terraform.content_names import content_hash

CARD_ASSOCIATION: Final = "azurerm_network_interface_security_group_association"

Body = dict[str, Any]

_END: Final = (
    ("PortRange", "port_range"),
    ("AddressPrefix", "address_prefix"),
)


def terraform_id(resource: str) -> str:
    """The Terraform name of a live resource."""
    return f"x{content_hash(resource.lower())}"


def reference(kind: str, resource: str) -> str:
    return f"${{{kind}.{terraform_id(resource)}.id}}"


def rule_body(row: Row, elsewhere: Container[str] = ()) -> Body:
    """One `securityRules` entry of the API; groups by reference, those `elsewhere` (in lower case)
    by their id alone, because who is in them is not known."""
    own = properties(row)
    body: Body = {
        "name": row.get("name"),
        "description": own.get("description") or "",
        "priority": own.get("priority"),
        "direction": own.get("direction"),
        "access": own.get("access"),
        "protocol": own.get("protocol"),
    }
    for end in ("source", "destination"):
        for theirs, ours in _END:
            one = own.get(f"{end}{theirs}")
            # The portal writes lists, older clients single values; some answers hold both.
            several = own.get(f"{end}{theirs}s" if theirs == "PortRange" else f"{end}{theirs}es")
            if several:
                body[f"{end}_{ours}s" if ours == "port_range" else f"{end}_{ours}es"] = [
                    *several,
                    *([one] if one else []),
                ]
            elif one:
                body[f"{end}_{ours}"] = one
        groups = own.get(f"{end}ApplicationSecurityGroups") or ()
        if groups:
            key = f"{end}_application_security_group_ids"
            body[key] = [
                str(group["id"])
                if str(group["id"]).lower() in elsewhere
                else reference(GROUP, str(group["id"]))
                for group in groups
            ]
    return body


def _told(row: Row, elsewhere: Container[str]) -> Body:
    """`rule_body`, and of a rule of another shape what it says of itself."""
    try:
        return rule_body(row, elsewhere)
    except ODD_SHAPE as error:
        own = properties(row)
        said = {key: own.get(key) for key in ("priority", "direction", "access")}
        return {"name": row.get("name"), **said, "protocol": f"of a rule with {error!r} in it"}


def groups_in(rows: Iterable[Row]) -> set[str]:
    """The application security groups that these rules name, by their ids."""
    return {
        str(group["id"])
        for row in rows
        for end in ("source", "destination")
        for group in properties(row).get(f"{end}ApplicationSecurityGroups") or ()
        if group.get("id")
    }


def rules_of(nsg: Row) -> tuple[Row, ...]:
    return tuple(properties(nsg).get("securityRules") or ())


def live_terraform(
    nsgs: Iterable[Row],
    groups: Iterable[str],
    tags: Mapping[str, Mapping[str, str]],
    memberships: Iterable[tuple[str, str]],
    on_subnets: Iterable[tuple[str, str]],
    on_cards: Iterable[tuple[str, str]],
    elsewhere: Container[str] = (),
) -> TerraformJson:
    """NSGs with their rules, and what is attached to what: pairs of a place's id and the id of
    the group or NSG there. `tags` are those that decide, by id in lower case; `elsewhere`
    are groups whose members are not all known."""
    found: defaultdict[str, Body] = defaultdict(dict)
    for nsg in nsgs:
        found[NSG][terraform_id(nsg["id"])] = {
            "name": nsg.get("name"),
            "security_rule": [_told(row, elsewhere) for row in rules_of(nsg)],
            "tags": tags.get(nsg["id"].lower(), tags_of(nsg)),
        }
    for group in groups:
        found[GROUP][terraform_id(group)] = {"tags": tags.get(group.lower(), {})}
    for kind, where, what, pairs in (
        (MEMBERSHIP, "network_interface_id", "application_security_group_id", memberships),
        (ASSOCIATION, "subnet_id", "network_security_group_id", on_subnets),
        (CARD_ASSOCIATION, "network_interface_id", "network_security_group_id", on_cards),
    ):
        held = GROUP if kind == MEMBERSHIP else NSG
        for place, holder in pairs:
            found[kind][f"x{content_hash(place.lower(), holder.lower())}"] = {
                where: place,
                what: reference(held, holder),
            }
    return {"resource": dict(found)}
