"""Hub firewalls of the clouds, read from Terraform JSON.

Suricata's rules of AWS in the order that they stand in (`STRICT_ORDER`); collections of Azure by
rising priority; rules of a Google hierarchy by rising priority and direction, where `goto_next`
hands a packet on and so does not let it through itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from flowbridge.catalog.ports import PortRange
from flowbridge.deployment.file.firewalls import FirewallOnTheWay
from flowbridge.policy.crossing.path_set import PathRule
from flowbridge.providers.firewalls.meaning.rule import (
    NotReadError,
    Place,
    Read,
    icmp_types,
    path_rule,
    span,
)

_SURICATA: Final = re.compile(
    r"(?P<action>\w+) (?P<protocol>[\w-]+) (?P<source>\S+) (?P<from>\S+) -> (?P<to>\S+) "
    r"(?P<port>\S+) \((?P<options>.*);\)"
)
_NUMBERS: Final = {"tcp": 6, "udp": 17, "sctp": 132, "icmp": 1, "ipv6-icmp": 58, "ip": None}


def _resources(text: str, kinds: set[str]) -> Mapping[str, Mapping[str, Any]]:
    try:
        found = json.loads(text)["resource"]
    except (ValueError, KeyError, TypeError) as error:
        raise NotReadError("it is no Terraform JSON with resources") from error
    if found.keys() != kinds:
        raise NotReadError(f"its resources are not {', '.join(sorted(kinds))}")
    return found  # type: ignore[no-any-return]


def _exactly(block: Mapping[str, Any], keys: str) -> None:
    if block.keys() != {*keys.split()}:
        strange = block.keys() ^ {*keys.split()}
        raise NotReadError(f"{', '.join(sorted(strange))}: not what is known to have a meaning")


def read_aws(text: str, _firewall: FirewallOnTheWay) -> Read:
    """NotReadError names what has no meaning."""
    kind = "aws_networkfirewall_rule_group"
    (group,) = _resources(text, {kind})[kind].values()
    try:
        body = group["rule_group"]
        if group["type"] != "STATEFUL" or body["stateful_rule_options"] != {
            "rule_order": "STRICT_ORDER"
        }:
            raise NotReadError("the group is not stateful in strict order")
        lines = body["rules_source"]["rules_string"].splitlines()
        if len(lines) > group["capacity"]:
            raise NotReadError("it has more rules than its capacity")
        rules = tuple(_suricata(line) for line in lines)
    except (KeyError, ValueError, TypeError) as error:
        raise NotReadError(str(error)) from error
    return {("*", "*"): rules}


def _suricata(line: str) -> PathRule:
    found = _SURICATA.fullmatch(line)
    if found is None:
        raise NotReadError(f"not understood: {line}")
    allow = {"pass": True, "drop": False}[found["action"]]
    protocol = _NUMBERS[found["protocol"]]
    options: dict[str, str] = {}
    for option in found["options"].split("; "):
        key, _, value = option.partition(":")
        options[key] = value
    strange = options.keys() - {"msg", "sid", "rev", "itype", "icode", "ip_proto"}
    if strange or "sid" not in options:
        raise NotReadError(f"{', '.join(strange) or 'no sid'}: {line}")
    if "ip_proto" in options:
        protocol = int(options["ip_proto"])
    to = _suricata_ports(found["port"])
    if "itype" in options:
        code = options.get("icode")
        to = (icmp_types(int(options["itype"]), None if code is None else span(code)),)
    return path_rule(
        allow,
        _list(found["source"]),
        _list(found["to"]),
        protocol,
        _suricata_ports(found["from"]),
        to,
    )


def _list(text: str) -> list[str]:
    return text.strip("[]").split(",")


def _suricata_ports(text: str) -> tuple[PortRange, ...] | None:
    return None if text == "any" else tuple(span(each, ":") for each in _list(text))


def read_azure(text: str, firewall: FirewallOnTheWay) -> Read:
    """NotReadError names what has no meaning."""
    kind = "azurerm_firewall_policy_rule_collection_group"
    (group,) = _resources(text, {kind})[kind].values()
    try:
        _exactly(group, "name firewall_policy_id priority network_rule_collection")
        if group["firewall_policy_id"] != firewall.id:
            raise NotReadError("it is of another firewall policy")
        rules: list[PathRule] = []
        for block in sorted(group["network_rule_collection"], key=lambda c: int(c["priority"])):
            _exactly(block, "name priority action rule")
            allow = {"Allow": True, "Deny": False}[block["action"]]
            for rule in block["rule"]:
                rules += _azure_rule(rule, allow)
    except (KeyError, ValueError, TypeError) as error:
        raise NotReadError(str(error)) from error
    return {("*", "*"): tuple(rules)}


def _azure_rule(rule: Mapping[str, Any], allow: bool) -> list[PathRule]:
    _exactly(
        rule, "name description protocols source_addresses destination_addresses destination_ports"
    )
    ports = None
    if rule["destination_ports"] != ["*"]:
        ports = [span(text) for text in rule["destination_ports"]]
    return [
        path_rule(
            allow,
            rule["source_addresses"],
            rule["destination_addresses"],
            {"TCP": 6, "UDP": 17, "ICMP": 1, "Any": None}[name],
            None,
            ports if name in ("TCP", "UDP") else None,
        )
        for name in rule["protocols"]
    ]


def read_google(text: str, firewall: FirewallOnTheWay) -> Read:
    """NotReadError names what has no meaning."""
    kind, rule_kind = "google_compute_firewall_policy", "google_compute_firewall_policy_rule"
    resources = _resources(text, {kind, rule_kind})
    found: dict[Place, list[PathRule]] = {}
    try:
        ((name, policy),) = resources[kind].items()
        if policy["parent"] != firewall.id:
            raise NotReadError("it is of another parent")
        rules = resources[rule_kind].values()
        if len({rule["priority"] for rule in rules}) != len(rules):
            raise NotReadError("two rules have one priority")
        for rule in sorted(rules, key=lambda each: int(each["priority"])):
            _exactly(rule, "firewall_policy priority direction action description match")
            if rule["firewall_policy"] != f"${{{kind}.{name}.id}}":
                raise NotReadError("a rule is of another policy")
            _exactly(rule["match"], "src_ip_ranges dest_ip_ranges layer4_configs")
            way = {"INGRESS": "ingress", "EGRESS": "egress"}[rule["direction"]]
            allow = {"allow": True, "goto_next": False}[rule["action"]]
            found.setdefault(("*", way), []).extend(_google_rule(rule["match"], allow))
    except (KeyError, ValueError, TypeError) as error:
        raise NotReadError(str(error)) from error
    return {place: tuple(rules) for place, rules in found.items()}


def _google_rule(match: Mapping[str, Any], allow: bool) -> list[PathRule]:
    out = []
    for layer in match["layer4_configs"]:
        name = layer["ip_protocol"]
        numbers = {"all": None, "tcp": 6, "udp": 17, "icmp": 1, "esp": 50, "ah": 51}
        protocol = numbers[name] if name in numbers else int(name)
        ports = [span(text) for text in layer["ports"]] if "ports" in layer else None
        ends = match["src_ip_ranges"], match["dest_ip_ranges"]
        out.append(path_rule(allow, *ends, protocol, None, ports))
    return out
