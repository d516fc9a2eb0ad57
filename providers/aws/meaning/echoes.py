"""What the AWS provider repeats in a state: rules that resources of their own have made.

`ingress` and `egress` of a group, entries of an ACL or a prefix list and the subnets of an ACL are
computed where the configuration does not write them, and hold what stands in other resources too.
A plan that takes such a resource away still shows its echo. So what the resources of the state
before the plan have made is taken out of the echo, and judged where it is made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from flowbridge.providers.terraform.address import TerraformAddress
from flowbridge.providers.terraform.blocks import Reference
from flowbridge.providers.terraform.shown.document import FlatDocument

Body = Mapping[str, Any]
_GROUPS: Final = ("aws_security_group", "aws_default_security_group")
_ACLS: Final = ("aws_network_acl", "aws_default_network_acl")
_LISTS: Final = ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups")


def without_echoes(flat: FlatDocument, prior: FlatDocument) -> FlatDocument:
    """`flat` without what `prior` has made by resources of their own."""
    resources = {kind: dict(named) for kind, named in flat.document["resource"].items()}
    made = _Made(prior)

    def strip(kinds: Iterable[str], key: str, keep: Callable[[str, Body], Iterator[Any]]) -> None:
        for kind in kinds:
            for name, body in resources.get(kind, {}).items():
                if isinstance(listed := body.get(key), list) and key not in flat.explicit.get(
                    name, ()
                ):
                    address = TerraformAddress.of(kind, name)
                    left = [part for each in listed for part in keep(address, each)]
                    resources[kind][name] = {**body, key: left}
                    body = resources[kind][name]

    for way in ("ingress", "egress"):
        strip(_GROUPS, way, lambda group, block, way=way: made.rest_of_rule(group, way, block))  # type: ignore[misc]
        strip(_ACLS, way, lambda acl, block, way=way: made.rest_of_entry(acl, way, block))  # type: ignore[misc]
    strip(_ACLS, "subnet_ids", made.rest_of_subnets)
    strip(("aws_ec2_managed_prefix_list",), "entry", made.rest_of_list)
    return replace(flat, document={**flat.document, "resource": resources})


class _Made:
    """By holder, what resources of their own have put into it."""

    def __init__(self, prior: FlatDocument) -> None:
        self.rules: defaultdict[tuple[str, str], set[tuple[Any, ...]]] = defaultdict(set)
        self.entries: set[tuple[str, str, str]] = set()
        self.subnets: set[tuple[str, str]] = set()
        self.cidrs: set[tuple[str, str]] = set()
        for body in prior.of("aws_security_group_rule").values():
            owner = _owner(body, "security_group_id")
            self.rules[owner, str(body.get("type"))].update(_atoms(body, owner))
        for way in ("ingress", "egress"):
            for body in prior.of(f"aws_vpc_security_group_{way}_rule").values():
                owner = _owner(body, "security_group_id")
                self.rules[owner, way].update(_atoms(_as_block(body), owner))
        for body in prior.of("aws_network_acl_rule").values():
            way = "egress" if body.get("egress") in (True, "true") else "ingress"
            self.entries.add((_owner(body, "network_acl_id"), way, str(body.get("rule_number"))))
        for body in prior.of("aws_network_acl_association").values():
            self.subnets.add((_owner(body, "network_acl_id"), str(body.get("subnet_id"))))
        for body in prior.of("aws_ec2_managed_prefix_list_entry").values():
            self.cidrs.add((_owner(body, "prefix_list_id"), str(body.get("cidr"))))

    def rest_of_rule(self, group: str, way: str, block: Body) -> Iterator[Body]:
        made = self.rules.get((group, way))
        if not made:
            yield block
            return
        head = _head(block)
        left = {
            key: [
                peer
                for peer in block.get(key) or ()
                if (*head, "self" if _is(peer, group) else peer) not in made
            ]
            for key in _LISTS
        }
        itself = bool(block.get("self")) and (*head, "self") not in made
        if itself or any(left.values()):
            yield {**block, **left, "self": itself}

    def rest_of_entry(self, acl: str, way: str, block: Body) -> Iterator[Body]:
        number = block.get("rule_no")
        if (acl, way, str(number)) not in self.entries:
            yield block

    def rest_of_subnets(self, acl: str, subnet: Any) -> Iterator[Any]:
        if (acl, str(subnet)) not in self.subnets:
            yield subnet

    def rest_of_list(self, name: str, block: Body) -> Iterator[Body]:
        if (name, str(block.get("cidr"))) not in self.cidrs:
            yield block


def _owner(body: Body, key: str) -> str:
    reference = Reference.parse(body.get(key))
    return reference.address if reference else str(body.get(key))


def _is(value: object, group: str) -> bool:
    reference = Reference.parse(value)
    return reference is not None and reference.address == group


def _head(block: Body) -> tuple[Any, ...]:
    protocol = str(block.get("protocol")).lower()
    if protocol in ("-1", "all"):
        return "-1", None, None
    ports = (None if (p := block.get(key)) is None else int(p) for key in ("from_port", "to_port"))
    return protocol, *ports


def _atoms(block: Body, owner: str) -> Iterator[tuple[Any, ...]]:
    head = _head(block)
    peers = [peer for key in _LISTS for peer in block.get(key) or ()]
    peers += [peer for peer in (block.get("source_security_group_id"),) if peer]
    for peer in peers:
        yield (*head, "self" if _is(peer, owner) else peer)
    if block.get("self") in (True, "true"):
        yield (*head, "self")


def _as_block(body: Body) -> Body:
    return {
        "protocol": body.get("ip_protocol"),
        "from_port": body.get("from_port"),
        "to_port": body.get("to_port"),
        "cidr_blocks": [c for c in (body.get("cidr_ipv4"),) if c],
        "ipv6_cidr_blocks": [c for c in (body.get("cidr_ipv6"),) if c],
        "prefix_list_ids": [c for c in (body.get("prefix_list_id"),) if c],
        "security_groups": [c for c in (body.get("referenced_security_group_id"),) if c],
    }
