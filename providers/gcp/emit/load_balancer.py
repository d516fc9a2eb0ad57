"""A proxy network load balancer that translates ports by the named ports of instance groups.

The passthrough load balancers of Google Cloud keep the destination port, so only a proxy can
translate. It ends the client's connection: Expressway-E sees the front ends of Google, from the
ranges that probe it too (row platform/2/3, which stands in for the rows of the clients). Instance
groups forward to the first card of a machine, which has to be the outer one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flowbridge.deployment.file.options import GcpLoadBalancer
from flowbridge.deployment.file.site import GcpSite
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.providers.gcp.naming import cloud_name, terraform_name
from flowbridge.providers.load_balancer import LABEL, Translator, refusal
from flowbridge.providers.provider import TerraformJson

_GROUP = re.compile(r"(?:.*/)?projects/[^/]+/zones/[^/]+/instanceGroups/([^/]+)")
_KEY = "options.jabber_guest.load_balancer.instance_groups"
_SCHEME = "EXTERNAL_MANAGED"
_LABEL = terraform_name(LABEL)


def translator_resources(translator: Translator) -> TerraformJson:
    """The load balancer's resources by type and name."""
    out: dict[str, dict[str, Any]] = {}

    def add(kind: str, name: str, body: dict[str, Any]) -> str:
        out.setdefault(kind, {})[name] = body
        return f"${{{kind}.{name}.id}}"

    site = translator.site.name
    groups = sorted(set(_place(translator).instance_groups))
    address = add(
        "google_compute_global_address", _LABEL, {"name": cloud_name((site, LABEL), site, LABEL)}
    )
    for part in translator.ports:
        label = terraform_name(_LABEL, str(part.inside))
        name = cloud_name((site, LABEL, str(part.inside)), site, LABEL, part.inside)
        port_name = f"{LABEL}-{part.inside}"
        for group in groups:
            short = group.rsplit("/", 1)[-1]
            add(
                "google_compute_instance_group_named_port",
                terraform_name(label, short),
                {"group": group, "name": port_name, "port": part.inside},
            )
        check = add(
            "google_compute_health_check",
            label,
            {"name": name, "tcp_health_check": [{"port": part.inside}]},
        )
        service = add(
            "google_compute_backend_service",
            label,
            {
                "name": name,
                "protocol": "TCP",
                "port_name": port_name,
                "load_balancing_scheme": _SCHEME,
                "health_checks": [check],
                "backend": [{"group": group, "balancing_mode": "UTILIZATION"} for group in groups],
            },
        )
        proxy = add(
            "google_compute_target_tcp_proxy",
            label,
            {"name": name, "backend_service": service, "proxy_header": "NONE"},
        )
        add(
            "google_compute_global_forwarding_rule",
            label,
            {
                "name": name,
                "target": proxy,
                "ip_address": address,
                "ip_protocol": "TCP",
                "port_range": str(part.outside),
                "load_balancing_scheme": _SCHEME,
            },
        )
    return out


def translator_outputs() -> TerraformJson:
    return {
        "jabber_guest_address": {
            "description": "Where the name of Jabber Guest has to lead",
            "value": f"${{google_compute_global_address.{_LABEL}.address}}",
        }
    }


def _place(translator: Translator) -> GcpLoadBalancer:
    """Where the file says that it stands."""
    return GcpSite.of(translator.site).options.jabber_guest.load_balancer


def findings(translator: Translator) -> Iterator[Finding]:
    """What is missing for the load balancer, and what it leaves to the deployer."""
    groups = _place(translator).instance_groups
    if not groups:
        yield refusal(
            "gcp/load-balancer-groups",
            "the load balancer for Jabber Guest has no machines: name their instance groups as "
            f"`{_KEY}`, each as projects/PROJECT/zones/ZONE/instanceGroups/NAME",
            _KEY,
        )
    for group in groups:
        if not _GROUP.fullmatch(group):
            yield refusal(
                "gcp/load-balancer-groups",
                f"{group!r} is no instance group: write "
                "projects/PROJECT/zones/ZONE/instanceGroups/NAME",
                _KEY,
            )
    ports = ", ".join(f"{part.outside} to {part.inside}" for part in translator.ports)
    yield Finding(
        id="gcp/port-translation",
        severity=Severity.OBLIGATION,
        message=f"the proxy load balancer translates {ports} in front of "
        f"{translator.interface.key}, for "
        "every client, administrators too: administer over private addresses. It ends the clients' "
        "connections, so Expressway-E sees and logs Google's front ends (35.191.0.0/16, "
        "130.211.0.0/22), and clients cannot be told apart there: narrow them with a Cloud Armor "
        "policy where they must be. It closes a connection that is silent for 30 s, unless the "
        "backend services are given another timeout_sec. Instance groups forward to the first card "
        f"(nic0), which has to be {translator.interface.key}. The name of Jabber Guest has to lead "
        "to the output `jabber_guest_address`; media (TURN) goes to the public address of "
        "Expressway-E itself.",
        source="Cloud Load Balancing: proxy network load balancers, firewall rules, named ports",
        key="options.jabber_guest.translator",
    )
