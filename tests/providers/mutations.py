"""Mutations: every small way in which a firewall's Terraform JSON can come to be wrong.

Each is the whole document with one thing changed: a rule dropped, a port more or less, one bit of
a CIDR, the other direction, another group, another priority, another protocol, an attachment
lost. Some change nothing (two neighbours of equal action swapped, a description reworded): a
judge that reports those is wrong too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Final

Document = Mapping[str, Any]
Path = tuple[str | int, ...]
Values = Iterator[tuple[str, Any]]

GONE: Final = object()


@dataclass(frozen=True, slots=True)
class Mutation:
    """`kind` is what was done, `where` the resource (and field) it was done to."""

    kind: str
    where: str
    document: Document


def mutations(document: Document, cloud: str) -> Iterator[Mutation]:
    """Every mutation of `document`, a `cdk.tf.json` of `cloud` (aws, azure or gcp)."""
    by_cloud: dict[str, Callable[[Document], Iterator[Mutation]]] = {
        "aws": _aws,
        "azure": _azure,
        "gcp": _gcp,
    }
    return by_cloud[cloud](document)


# --- changing one place of a document --------------------------------------------------------


def _at(document: Any, path: Path) -> Any:
    for key in path:
        document = document[key]
    return document


def changed_at(document: Any, path: Path, value: Any) -> Any:
    """`document` with `value` at `path`; `GONE` removes. What is not on the path is shared."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(document, list):
        assert isinstance(head, int)
        inner = changed_at(document[head], rest, value) if rest else value
        return [*document[:head], *([] if inner is GONE else [inner]), *document[head + 1 :]]
    inner = changed_at(document.get(head, {}), rest, value) if rest else value
    kept = {key: item for key, item in document.items() if key != head}
    return kept if inner is GONE else kept | {head: inner}


def _mutation(document: Document, kind: str, *changes: tuple[Path, Any]) -> Mutation:
    for path, value in changes:
        document = changed_at(document, path, value)
    return Mutation(kind, ".".join(map(str, changes[0][0][1:])), document)


def _resources(document: Document, kind: str) -> list[tuple[Path, Any]]:
    named = document["resource"].get(kind, {})
    return [(("resource", kind, name), named[name]) for name in sorted(named)]


def _ids(document: Document, kind: str) -> list[str]:
    """References to every resource of `kind`."""
    return [f"${{{kind}.{path[-1]}.id}}" for path, _ in _resources(document, kind)]


def _next(items: Sequence[Any], item: Any) -> Any:
    """The item behind `item`, in a circle; itself where there is no other."""
    return items[(items.index(item) + 1) % len(items)] if item in items else items[0]


# --- changing one value ----------------------------------------------------------------------


def _spans(first: int, last: int, highest: int) -> Iterator[tuple[str, int, int]]:
    if first > 0:
        yield "one port more below", first - 1, last
    if last < highest:
        yield "one port more above", first, last + 1
    if first < last:
        yield "one port less below", first + 1, last
        yield "one port less above", first, last - 1
    if last < highest:
        yield "moved by one port", first + 1, last + 1


def _cidrs(text: str) -> Values:
    net = ip_network(text)
    if net.prefixlen > 0:
        yield "one bit wider", str(net.supernet())
        lowest = 1 << (net.max_prefixlen - net.prefixlen)
        moved = (int(net.network_address) ^ lowest).to_bytes(net.max_prefixlen // 8, "big")
        yield "one bit elsewhere", str(ip_network((moved, net.prefixlen)))
    if net.prefixlen < net.max_prefixlen:
        yield "one bit narrower", str(next(net.subnets()))


def _port_texts(texts: Sequence[str]) -> Values:
    """Mutations of a list such as `["22", "5060-5061"]`."""
    for i, text in enumerate(texts):
        found = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
        if found is None:  # `*`
            yield "one port instead of all", ["443"]
            continue
        for kind, first, last in _spans(int(found[1]), int(found[2] or found[1]), 65535):
            span = str(first) if first == last else f"{first}-{last}"
            yield kind, [*texts[:i], span, *texts[i + 1 :]]
        if len(texts) > 1:
            yield "ports dropped", [*texts[:i], *texts[i + 1 :]]


def _lists(texts: Sequence[str], values: Callable[[str], Values]) -> Values:
    """Mutations of one item of a list, and the list without it."""
    for i, text in enumerate(texts):
        for kind, value in values(text):
            yield kind, [*texts[:i], value, *texts[i + 1 :]]
        if len(texts) > 1:
            yield "an item dropped", [*texts[:i], *texts[i + 1 :]]


# --- AWS -------------------------------------------------------------------------------------

_RULES: Final = (
    "aws_vpc_security_group_ingress_rule",
    "aws_vpc_security_group_egress_rule",
)
_OTHER_PROTOCOL: Final = {"tcp": "udp", "udp": "tcp", "icmp": "icmpv6", "icmpv6": "icmp"}


def _aws(document: Document) -> Iterator[Mutation]:
    groups = [
        f"${{{'.'.join(map(str, p[1:]))}.id}}"
        for p, _ in _resources(document, "aws_security_group")
    ]
    for kind, other in (_RULES, _RULES[::-1]):
        for path, body in _resources(document, kind):
            yield from _group_rule(document, path, body, groups)
            there = ("resource", other, f"{path[-1]}_moved")
            yield _mutation(document, "other direction", (path, GONE), (there, body))
    for path, body in _resources(document, "aws_network_interface_sg_attachment"):
        yield _mutation(document, "attachment dropped", (path, GONE))
        group = _next(groups, body["security_group_id"])
        yield _mutation(document, "other group attached", ((*path, "security_group_id"), group))
    for path, body in _resources(document, "aws_ec2_managed_prefix_list"):
        entries = body["entry"]
        for i, entry in enumerate(entries):
            yield _mutation(document, "list entry dropped", ((*path, "entry", i), GONE))
            for kind, cidr in _cidrs(entry["cidr"]):
                yield _mutation(document, kind, ((*path, "entry", i, "cidr"), cidr))
    yield from _network_acls(document)


def _group_rule(
    document: Document, path: Path, body: Mapping[str, Any], groups: Sequence[str]
) -> Iterator[Mutation]:
    yield _mutation(document, "dropped", (path, GONE))
    yield _mutation(document, "reworded", ((*path, "description"), "By hand"))
    owner = _next(groups, body["security_group_id"])
    yield _mutation(document, "other group", ((*path, "security_group_id"), owner))
    if "referenced_security_group_id" in body:
        key = (*path, "referenced_security_group_id")
        yield _mutation(document, "other peer group", (key, _next(groups, _at(document, key))))
    for family in ("cidr_ipv4", "cidr_ipv6"):
        for kind, cidr in _cidrs(body[family]) if family in body else ():
            yield _mutation(document, kind, ((*path, family), cidr))
    protocol = body["ip_protocol"]
    other = _OTHER_PROTOCOL.get(protocol, "47")
    yield _mutation(document, "other protocol", ((*path, "ip_protocol"), other))
    yield _mutation(document, "every protocol", ((*path, "ip_protocol"), "-1"))
    first, last = body.get("from_port"), body.get("to_port")
    if protocol in ("tcp", "udp") and first is not None and last is not None:
        for kind, low, high in _spans(first, last, 65535):
            yield _mutation(document, kind, ((*path, "from_port"), low), ((*path, "to_port"), high))


def _network_acls(document: Document) -> Iterator[Mutation]:
    for path, body in _resources(document, "aws_network_acl"):
        for direction, other in (("ingress", "egress"), ("egress", "ingress")):
            entries = body.get(direction, [])
            for i, entry in enumerate(entries):
                here = (*path, direction, i)
                yield from _acl_entry(document, here, entry, "action")
                free = max((e["rule_no"] for e in body.get(other, [])), default=0) + 1
                yield _mutation(
                    document,
                    "other direction",
                    (here, GONE),
                    ((*path, other), [*body.get(other, []), entry | {"rule_no": free}]),
                )
                if i + 1 < len(entries):
                    numbers = entry["rule_no"], entries[i + 1]["rule_no"]
                    yield _mutation(
                        document,
                        "neighbours swapped",
                        ((*here, "rule_no"), numbers[1]),
                        ((*path, direction, i + 1, "rule_no"), numbers[0]),
                    )
    acls = _ids(document, "aws_network_acl")
    yield from _acl_rules(document, acls)
    for path, body in _resources(document, "aws_network_acl_association"):
        yield _mutation(document, "association dropped", (path, GONE))
        other = _next(acls, body["network_acl_id"])
        yield _mutation(document, "other ACL associated", ((*path, "network_acl_id"), other))


def _acl_rules(document: Document, acls: Sequence[str]) -> Iterator[Mutation]:
    """Entries that are resources of their own."""
    rules = _resources(document, "aws_network_acl_rule")

    def alike(body: Mapping[str, Any], egress: bool) -> list[tuple[Path, Any]]:
        found = [
            (path, other)
            for path, other in rules
            if other["network_acl_id"] == body["network_acl_id"] and other["egress"] is egress
        ]
        return sorted(found, key=lambda pair: pair[1]["rule_number"])

    for path, body in rules:
        yield from _acl_entry(document, path, body, "rule_action")
        there = alike(body, not body["egress"])
        free = there[-1][1]["rule_number"] + 1 if there else 1
        yield _mutation(
            document,
            "other direction",
            ((*path, "egress"), not body["egress"]),
            ((*path, "rule_number"), free),
        )
        here = alike(body, body["egress"])
        place = [other for other, _ in here].index(path)
        if place + 1 < len(here):
            beside, other = here[place + 1]
            yield _mutation(
                document,
                "neighbours swapped",
                ((*path, "rule_number"), other["rule_number"]),
                ((*beside, "rule_number"), body["rule_number"]),
            )
        owner = _next(acls, body["network_acl_id"])
        yield _mutation(
            document,
            "other ACL",
            ((*path, "network_acl_id"), owner),
            ((*path, "rule_number"), 32000),
        )


def _acl_entry(
    document: Document, path: Path, entry: Mapping[str, Any], action: str
) -> Iterator[Mutation]:
    yield _mutation(document, "dropped", (path, GONE))
    yield _mutation(document, "denied", ((*path, action), "deny"))
    for family in ("cidr_block", "ipv6_cidr_block"):
        for kind, cidr in _cidrs(entry[family]) if entry.get(family) else ():
            yield _mutation(document, kind, ((*path, family), cidr))
    protocol = str(entry["protocol"])
    if protocol != "-1":
        other = {"6": "17", "17": "6"}.get(protocol, "47")
        yield _mutation(document, "other protocol", ((*path, "protocol"), other))
        yield _mutation(document, "every protocol", ((*path, "protocol"), "-1"))
    if protocol in ("6", "17"):
        for kind, low, high in _spans(entry["from_port"], entry["to_port"], 65535):
            yield _mutation(document, kind, ((*path, "from_port"), low), ((*path, "to_port"), high))


# --- Azure -----------------------------------------------------------------------------------


def _azure(document: Document) -> Iterator[Mutation]:
    groups = _ids(document, "azurerm_application_security_group")
    for path, body in _resources(document, "azurerm_network_security_group"):
        rules = body["security_rule"]
        for i, rule in enumerate(rules):
            here = (*path, "security_rule", i)
            yield _mutation(document, "dropped", (here, GONE))
            yield _mutation(document, "reworded", ((*here, "description"), "By hand"))
            yield from _nsg_rule(document, here, rule, groups)
            yield from _priorities(document, (*path, "security_rule"), rules, i)
    for kind in (
        "azurerm_subnet_network_security_group_association",
        "azurerm_network_interface_application_security_group_association",
    ):
        for path, _ in _resources(document, kind):
            yield _mutation(document, "association dropped", (path, GONE))
    nsgs = _ids(document, "azurerm_network_security_group")
    for kind, key, known in (
        ("azurerm_subnet_network_security_group_association", "network_security_group_id", nsgs),
        (
            "azurerm_network_interface_application_security_group_association",
            "application_security_group_id",
            groups,
        ),
    ):
        for path, body in _resources(document, kind):
            yield _mutation(document, "other group", ((*path, key), _next(known, body[key])))


def _nsg_rule(
    document: Document, path: Path, rule: Mapping[str, Any], groups: Sequence[str]
) -> Iterator[Mutation]:
    flipped = "Deny" if rule["access"] == "Allow" else "Allow"
    yield _mutation(document, "other action", ((*path, "access"), flipped))
    way = "Outbound" if rule["direction"] == "Inbound" else "Inbound"
    yield _mutation(document, "other direction", ((*path, "direction"), way))
    if rule["protocol"] in ("Tcp", "Udp"):
        other = {"Tcp": "Udp", "Udp": "Tcp"}[rule["protocol"]]
        yield _mutation(document, "other protocol", ((*path, "protocol"), other))
        yield _mutation(document, "every protocol", ((*path, "protocol"), "*"))
    for end in ("source", "destination"):
        yield from _as_lists(document, path, rule, f"{end}_port_range", _port_texts)
        yield from _as_lists(document, path, rule, f"{end}_address_prefix", _prefixes)
        key = f"{end}_application_security_group_ids"
        if rule.get(key):
            other_group = [_next(groups, rule[key][0])]
            yield _mutation(document, "other group", ((*path, key), other_group))
            yield _mutation(
                document,
                "everybody instead of a group",
                ((*path, key), None),
                ((*path, f"{end}_address_prefix"), "*"),
            )


def _prefixes(texts: Sequence[str]) -> Values:
    if list(texts) != ["*"]:
        yield from _lists(texts, _cidrs)


def _as_lists(
    document: Document,
    path: Path,
    rule: Mapping[str, Any],
    key: str,
    values: Callable[[Sequence[str]], Values],
) -> Iterator[Mutation]:
    """Mutations of an argument that is written singly or as a list under another name."""
    several = f"{key}s" if key.endswith("range") else f"{key}es"
    texts = rule[several] if rule.get(several) else [rule[key]] if rule.get(key) else []
    for kind, changed in values(texts) if texts else ():
        yield _mutation(document, kind, ((*path, several), changed), ((*path, key), None))


def _priorities(
    document: Document, path: Path, rules: Sequence[Mapping[str, Any]], i: int
) -> Iterator[Mutation]:
    """Two rules of one direction change places."""
    rule = rules[i]
    alike = [j for j, other in enumerate(rules) if other["direction"] == rule["direction"]]
    alike.sort(key=lambda j: rules[j]["priority"])
    place = alike.index(i)
    for kind, j in (("neighbours swapped", place + 1), ("behind all others", len(alike) - 1)):
        if place < j < len(alike):
            other = rules[alike[j]]
            yield _mutation(
                document,
                kind,
                ((*path, i, "priority"), other["priority"]),
                ((*path, alike[j], "priority"), rule["priority"]),
            )


# --- Google Cloud ----------------------------------------------------------------------------


def _gcp(document: Document) -> Iterator[Mutation]:
    classic = _resources(document, "google_compute_firewall")
    tags = sorted({tag for _, body in classic for tag in body.get("target_tags", ())})
    networks = sorted({body["network"] for _, body in classic})
    for path, body in classic:
        yield _mutation(document, "dropped", (path, GONE))
        yield _mutation(document, "disabled", ((*path, "disabled"), True))
        yield _mutation(document, "reworded", ((*path, "description"), "By hand"))
        if len(networks) > 1:
            other = _next(networks, body["network"])
            yield _mutation(document, "other network", ((*path, "network"), other))
        if len(tags) > 1 and body.get("target_tags"):
            tag = [_next(tags, body["target_tags"][0])]
            yield _mutation(document, "other target", ((*path, "target_tags"), tag))
        if body.get("target_tags"):
            yield _mutation(document, "every target", ((*path, "target_tags"), GONE))
        for number in (body["priority"] - 2, body["priority"] - 1, body["priority"] + 2):
            yield _mutation(document, "other priority", ((*path, "priority"), number))
        way, key = ("INGRESS", "source_ranges"), ("EGRESS", "destination_ranges")
        here, there = (way, key) if body["direction"] == "INGRESS" else (key, way)
        yield _mutation(
            document,
            "other direction",
            ((*path, "direction"), there[0]),
            ((*path, there[1]), body[here[1]]),
            ((*path, here[1]), GONE),
        )
        for kind, changed in _lists(body[here[1]], _cidrs):
            yield _mutation(document, kind, ((*path, here[1]), changed))
        action = "allow" if "allow" in body else "deny"
        flipped = {"allow": "deny", "deny": "allow"}[action]
        yield _mutation(
            document, "other action", ((*path, flipped), body[action]), ((*path, action), GONE)
        )
        yield from _layers(document, (*path, action), body[action], "protocol")
    yield from _network_policies(document)


def _layers(
    document: Document, path: Path, layers: Sequence[Mapping[str, Any]], key: str
) -> Iterator[Mutation]:
    for i, layer in enumerate(layers):
        here = (*path, i)
        if len(layers) > 1:
            yield _mutation(document, "protocol dropped", (here, GONE))
        if layer[key] in ("tcp", "udp"):
            other = {"tcp": "udp", "udp": "tcp"}[layer[key]]
            yield _mutation(document, "other protocol", ((*here, key), other))
            bare = {key: "all"}
            yield _mutation(document, "every protocol", (here, bare))
        for kind, changed in _port_texts(layer.get("ports", [])):
            yield _mutation(document, kind, ((*here, "ports"), changed))


def _network_policies(document: Document) -> Iterator[Mutation]:
    kind = "google_compute_network_firewall_policy"
    values = _ids(document, "google_tags_tag_value")
    for path, body in _resources(document, f"{kind}_with_rules"):
        rules = body["rule"]
        for i, rule in enumerate(rules):
            here = (*path, "rule", i)
            yield _mutation(document, "dropped", (here, GONE))
            yield _mutation(document, "disabled", ((*here, "disabled"), True))
            yield _mutation(document, "reworded", ((*here, "description"), "By hand"))
            flipped = {"allow": "deny", "deny": "allow"}[rule["action"]]
            yield _mutation(document, "other action", ((*here, "action"), flipped))
            yield _mutation(document, "sent on", ((*here, "action"), "goto_next"))
            yield _mutation(document, "behind all others", ((*here, "priority"), 2_100_000_000))
            yield _mutation(document, "before all others", ((*here, "priority"), 1))
            if rule.get("target_secure_tag"):
                value = _next(values, rule["target_secure_tag"][0]["name"])
                target = [{"name": value}]
                yield _mutation(document, "other target", ((*here, "target_secure_tag"), target))
            yield from _match(document, here, rule)
    for path, _ in _resources(document, f"{kind}_association"):
        yield _mutation(document, "association dropped", (path, GONE))


def _match(document: Document, path: Path, rule: Mapping[str, Any]) -> Iterator[Mutation]:
    [match] = rule["match"]
    here, there = ("src", "dest") if rule["direction"] == "INGRESS" else ("dest", "src")
    key = f"{here}_ip_ranges"
    turned = {name: value for name, value in match.items() if not name.startswith(f"{here}_")}
    yield _mutation(
        document,
        "other direction",
        ((*path, "direction"), "EGRESS" if here == "src" else "INGRESS"),
        ((*path, "match"), [turned | {f"{there}_ip_ranges": match[key]}]),
    )
    for kind, changed in _lists(match[key], _cidrs):
        yield _mutation(document, kind, ((*path, "match", 0, key), changed))
    layers = (*path, "match", 0, "layer4_config")
    yield from _layers(document, layers, match["layer4_config"], "ip_protocol")
