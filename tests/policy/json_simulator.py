"""A second reader of what is emitted: Terraform JSON and a deployment file to one verdict a packet.

Plain Python over `json` and `yaml`. Nothing of Flowbridge is imported: what a rule means is written
here a second time, from the clouds' documents. One packet at a time, slow, and right or wrong on
its own account.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

ICMP, TCP, UDP, ESP, AH = 1, 6, 17, 50, 51
_NUMBERS = {"gre": 47, "icmp": ICMP, "tcp": TCP, "udp": UDP, "esp": ESP, "ah": AH}
_PRIVATE = [
    IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
]
Json = dict[str, Any]


@dataclass(frozen=True)
class Card:
    """`key` is `workload/interface`; `nic` the name of an existing card, where the file has one."""

    key: str
    address: IPv4Address
    tier: str
    nic: str | None = None


@dataclass(frozen=True)
class Seen:
    """A packet as a card sees it: `out` leaves it. Of ICMP `port` is type * 256 + code."""

    card: Card
    out: bool
    peer: IPv4Address
    protocol: int
    source_port: int
    port: int

    def answer(self) -> Seen | None:
        """What answers it, seen from the same card. An echo (8) is answered by type 0; other ICMP
        messages by none."""
        if self.protocol == ICMP:
            if self.port // 256 != 8:
                return None
            return Seen(self.card, not self.out, self.peer, ICMP, 0, 0)
        return Seen(self.card, not self.out, self.peer, self.protocol, self.port, self.source_port)


def cards_of(site: Json) -> list[Card]:
    """Every card that a deployment file manages."""
    found: list[Card] = []
    edge = site.get("expressway_e")
    if edge:
        inner = edge.get("internal_tier", edge["tier"])
        for peer in edge["peers"]:
            ends: tuple[tuple[str, str], ...]
            if "external" in peer:
                ends = (("external", edge["tier"]), ("internal", inner))
            else:
                ends = (("address", edge["tier"]),)
            for name, tier in ends:
                key = "single" if name == "address" else name
                nic = peer.get("eni" if name == "address" else f"{name}_eni")
                found.append(Card(f"expressway-e/{key}", IPv4Address(peer[name]), tier, nic))
    core = site.get("expressway_c")
    if core:
        for peer in core["peers"]:
            address = IPv4Address(peer["address"])
            found.append(Card("expressway-c/single", address, core["tier"], peer.get("eni")))
    for name, system in site.get("systems", {}).items():
        if "tier" in system:
            nics = system.get("eni", [None] * len(system["addresses"]))
            for text, nic in zip(system["addresses"], nics, strict=True):
                found.append(Card(f"{name}/single", IPv4Address(text), system["tier"], nic))
    return found


def without(document: Json, row: str) -> Json:
    """The document without the rules that allow for `row`, by their descriptions and tags."""

    def names(body: Json) -> bool:
        text = str(body.get("description") or "")
        ids = text.partition(":")[0].replace(",", " ").split()
        rows = (body.get("tags") or {}).get("flowbridge:rows", "")
        return row in ids or row in str(rows).split()

    resources: Json = {}
    for kind, bodies in document["resource"].items():
        kept: Json = {}
        for name, body in bodies.items():
            if kind != "azurerm_network_security_group" and "rule" not in body:
                denies = body.get("deny") or body.get("rule_action") == "deny"
                if names(body) and not denies:
                    continue
                kept[name] = body
                continue
            inner = "security_rule" if "security_rule" in body else "rule"
            left = [
                rule
                for rule in body.get(inner, [])
                if not names(rule) or str(rule.get("access", rule.get("action"))).lower() == "deny"
            ]
            kept[name] = {**body, inner: left}
        resources[kind] = kept
    return {**document, "resource": resources}


class Simulator:
    """`passes(seen)`: whether the packet, and what answers it, gets through all filters there."""

    def __init__(self, document: Json, site: Json) -> None:
        self.cards = cards_of(site)
        self.tiers = site["network"]["tiers"]
        self.made = document["resource"]
        self.outputs = document.get("output", {})
        self.accounts = site.get("options", {}).get("gcp", {}).get("service_accounts", {})
        self._known: dict[Seen, bool] = {}
        clouds: dict[str, Any] = {"aws": _Aws, "azure": _Azure, "gcp": _Google}
        self._cloud = clouds[site["cloud"]](self)

    def passes(self, seen: Seen) -> bool:
        if seen not in self._known:
            answer = seen.answer()
            back = answer is None or bool(self._cloud.back(answer))
            self._known[seen] = bool(self._cloud.forward(seen)) and back
        return self._known[seen]

    def subnet(self, card: Card) -> tuple[str, IPv4Network]:
        """The subnet that a card is in: name or id, and range."""
        tier = self.tiers[card.tier]
        names = tier.get("subnets") or [""] * len(tier["cidrs"])
        for name, text in zip(names, tier["cidrs"], strict=True):
            if card.address in IPv4Network(text):
                return name, IPv4Network(text)
        raise AssertionError(f"{card} is in no subnet")

    def addresses(self, keys: set[str]) -> list[IPv4Network]:
        return [IPv4Network(card.address) for card in self.cards if card.key in keys]


def _within(address: IPv4Address, networks: list[Any]) -> bool:
    return any(address in IPv4Network(each) for each in networks)


def _number(text: str) -> int | None:
    """A protocol by name or number; None for all."""
    if text.lower() in ("-1", "all", "*"):
        return None
    return _NUMBERS.get(text.lower()) or int(text)


def _address(reference: str) -> str:
    """`aws_security_group.x` of `${aws_security_group.x.id}`."""
    return reference.removeprefix("${").removesuffix(".id}")


class _Aws:
    """Security groups keep state and only allow; network ACLs keep none, and are not met inside
    one subnet."""

    def __init__(self, here: Simulator) -> None:
        self.here = here
        made = here.made
        self.worn: dict[str, set[str]] = {}  # by card key the groups
        for name, body in made["aws_security_group"].items():
            tags = body["tags"]
            key = f"{tags['flowbridge:workload']}/{tags['flowbridge:interface']}"
            self.worn.setdefault(key, set()).add(f"aws_security_group.{name}")
        self.rules = [
            (kind == "egress", body)
            for kind in ("egress", "ingress")
            for body in made.get(f"aws_vpc_security_group_{kind}_rule", {}).values()
        ]
        self.acl_of = {
            body["subnet_id"]: _address(body["network_acl_id"])
            for body in made.get("aws_network_acl_association", {}).values()
        }
        self.entries = sorted(
            made.get("aws_network_acl_rule", {}).values(), key=lambda body: body["rule_number"]
        )

    def forward(self, seen: Seen) -> bool:
        return self._groups(seen) and self.back(seen)

    def back(self, seen: Seen) -> bool:
        subnet, cidr = self.here.subnet(seen.card)
        acl = self.acl_of.get(subnet)
        if acl is None or seen.peer in cidr:
            return True
        for body in self.entries:
            if _address(body["network_acl_id"]) != acl or body["egress"] is not seen.out:
                continue
            if "cidr_block" not in body or seen.peer not in IPv4Network(body["cidr_block"]):
                continue
            number = _number(str(body["protocol"]))
            if number is not None and number != seen.protocol:
                continue
            if number in (TCP, UDP) and not body["from_port"] <= seen.port <= body["to_port"]:
                continue
            if number == ICMP:
                kind, code = divmod(seen.port, 256)
                if body["icmp_type"] not in (-1, kind) or body["icmp_code"] not in (-1, code):
                    continue
            return bool(body["rule_action"] == "allow")
        return False

    def _groups(self, seen: Seen) -> bool:
        worn = self.worn.get(seen.card.key, set())
        return any(
            out is seen.out
            and _address(body["security_group_id"]) in worn
            and self._matches(body, seen)
            for out, body in self.rules
        )

    def _matches(self, body: Json, seen: Seen) -> bool:
        number = _number(body["ip_protocol"])
        if number is not None and number != seen.protocol:
            return False
        if number in (TCP, UDP) and not body["from_port"] <= seen.port <= body["to_port"]:
            return False
        if number == ICMP:
            kind, code = divmod(seen.port, 256)
            if body["from_port"] not in (-1, kind) or body["to_port"] not in (-1, code):
                return False
        if "cidr_ipv4" in body:
            return seen.peer in IPv4Network(body["cidr_ipv4"])
        if "referenced_security_group_id" in body:
            group = _address(body["referenced_security_group_id"])
            keys = {key for key, groups in self.worn.items() if group in groups}
            return _within(seen.peer, self.here.addresses(keys))
        return False


class _Azure:
    """One NSG at the subnet (none is on cards here), rules by priority, then the default ones."""

    def __init__(self, here: Simulator) -> None:
        self.here = here
        made = here.made
        self.nsg_of = {
            body["subnet_id"].rsplit("/", 1)[-1]: _address(body["network_security_group_id"])
            for body in made["azurerm_subnet_network_security_group_association"].values()
        }
        self.groups: dict[str, list[IPv4Network]] = {}
        kind = "azurerm_network_interface_application_security_group_association"
        for body in made.get(kind, {}).values():
            nic = body["network_interface_id"].rsplit("/", 1)[-1]
            group = _address(body["application_security_group_id"])
            own = [IPv4Network(card.address) for card in here.cards if card.nic == nic]
            self.groups.setdefault(group, []).extend(own)
        self.rules = {
            f"azurerm_network_security_group.{name}": sorted(
                body["security_rule"], key=lambda rule: rule["priority"]
            )
            for name, body in made["azurerm_network_security_group"].items()
        }
        self.inside = [IPv4Network(c) for tier in here.tiers.values() for c in tier["cidrs"]]

    def back(self, _: Seen) -> bool:
        return True

    def forward(self, seen: Seen) -> bool:
        subnet, _ = self.here.subnet(seen.card)
        nsg = self.nsg_of.get(subnet.rsplit("/", 1)[-1])
        if nsg is None:
            return True
        source, target = seen.card.address, seen.peer
        if not seen.out:
            source, target = target, source
        for rule in self.rules[nsg]:
            if (rule["direction"] == "Outbound") is not seen.out:
                continue
            number = _number(rule["protocol"])
            if number is not None and number != seen.protocol:
                continue
            if self._end(rule, "source", source, seen.source_port, seen.protocol) and self._end(
                rule, "destination", target, seen.port, seen.protocol
            ):
                return bool(rule["access"] == "Allow")
        if _within(source, self.inside) and _within(target, self.inside):
            return True
        return seen.out and not _within(target, [*self.inside, *_PRIVATE])

    def _end(self, rule: Json, end: str, address: IPv4Address, port: int, protocol: int) -> bool:
        ranges = rule.get(f"{end}_port_ranges") or [rule[f"{end}_port_range"]]
        if protocol in (TCP, UDP) and not any(_in_range(port, text) for text in ranges):
            return False
        prefixes = rule.get(f"{end}_address_prefixes") or [rule.get(f"{end}_address_prefix")]
        for prefix in filter(None, prefixes):
            if prefix == "*":
                return True
            if prefix == "VirtualNetwork":
                if _within(address, self.inside):
                    return True
            elif prefix == "Internet":
                if not _within(address, [*self.inside, *_PRIVATE]):
                    return True
            elif prefix[0].isdigit() and address in IPv4Network(prefix):
                return True
        groups = rule.get(f"{end}_application_security_group_ids") or []
        return any(_within(address, self.groups.get(_address(each), [])) for each in groups)


def _in_range(port: int, text: str) -> bool:
    if text == "*":
        return True
    first, _, last = text.partition("-")
    return int(first) <= port <= int(last or first)


class _Google:
    """VPC rules or a network's policy by priority, a deny before an allow of the same one; then
    nothing comes in and everything leaves."""

    def __init__(self, here: Simulator) -> None:
        self.here = here
        out = here.outputs
        self.network = {k: _last(v) for k, v in out["networks"]["value"].items()}
        self.tag_of: dict[str, set[str]] = {}
        for kind in ("network_tags", "secure_tags"):
            for key, tag in out.get(kind, {}).get("value", {}).items():
                self.tag_of.setdefault(key, set()).add(tag)
        for card in here.cards:
            if account := here.accounts.get(card.key.split("/")[0]):
                self.tag_of.setdefault(card.key, set()).add(account)
        self.rules = sorted(
            (*self._classic(), *self._policies()), key=lambda rule: (rule["rank"], rule["allow"])
        )

    def _classic(self) -> list[Json]:
        found = []
        for body in self.here.made.get("google_compute_firewall", {}).values():
            allow = "allow" in body
            found.append(
                {
                    "rank": body["priority"],
                    "allow": allow,
                    "network": _last(body["network"]),
                    "out": body["direction"] == "EGRESS",
                    "targets": {
                        *(body.get("target_tags") or ()),
                        *(body.get("target_service_accounts") or ()),
                    },
                    "ranges": body.get("destination_ranges") or body.get("source_ranges") or [],
                    "tags": {
                        *(body.get("source_tags") or ()),
                        *(body.get("source_service_accounts") or ()),
                    },
                    "layers": [
                        (each["protocol"], each.get("ports"))
                        for each in body["allow" if allow else "deny"]
                    ],
                }
            )
        return found

    def _policies(self) -> list[Json]:
        kind = "google_compute_network_firewall_policy"
        networks = {
            _address(body["firewall_policy"]): _last(body["attachment_target"])
            for body in self.here.made.get(f"{kind}_association", {}).values()
        }
        return [
            {
                "rank": rule["priority"],
                "allow": rule["action"] == "allow",
                "network": networks[f"{kind}_with_rules.{name}"],
                "out": rule["direction"] == "EGRESS",
                "targets": {
                    *(t["name"] for t in rule.get("target_secure_tag") or ()),
                    *(rule.get("target_service_accounts") or ()),
                },
                "ranges": match.get("src_ip_ranges") or match.get("dest_ip_ranges") or [],
                "local": match.get("dest_ip_ranges") if "src_ip_ranges" in match else None,
                "tags": {t["name"] for t in match.get("src_secure_tag") or ()},
                "layers": [(e["ip_protocol"], e.get("ports")) for e in match["layer4_config"]],
            }
            for name, body in self.here.made.get(f"{kind}_with_rules", {}).items()
            for rule in body["rule"]
            for match in rule["match"]
        ]

    def back(self, _: Seen) -> bool:
        return True

    def forward(self, seen: Seen) -> bool:
        for rule in self.rules:
            if rule["network"] == self.network[seen.card.key] and self._matches(rule, seen):
                return bool(rule["allow"])
        return seen.out

    def _matches(self, rule: Json, seen: Seen) -> bool:
        if rule["out"] is not seen.out:
            return False
        if rule["targets"] and not rule["targets"] & self.tag_of.get(seen.card.key, set()):
            return False
        if rule.get("local") and not _within(seen.card.address, rule["local"]):
            return False
        keys = {key for key, tags in self.tag_of.items() if tags & rule["tags"]}
        peers = [*(r for r in rule["ranges"] if ":" not in r), *self.here.addresses(keys)]
        if not _within(seen.peer, peers):
            return False
        for protocol, ports in rule["layers"]:
            number = _number(protocol)
            if number is not None and number != seen.protocol:
                continue
            if not ports or any(_in_range(seen.port, text) for text in ports):
                return True
        return False


def _last(path: str) -> str:
    return path.rsplit("/", 1)[-1]
