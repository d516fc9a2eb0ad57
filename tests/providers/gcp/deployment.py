"""The same hand-made interfaces and flows as for AWS, in the networks of Google Cloud."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from flowbridge.deployment.addresses import of_families
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.flow import End, Flow
from flowbridge.deployment.interface import Interface
from flowbridge.policy.compiled import compile_policy
from flowbridge.policy.proof.proof import Proof, prove
from flowbridge.providers.gcp.cloud import PROVIDER
from flowbridge.providers.provider import Lowered
from tests.providers.aws import policies

NETWORK = {
    "project": "uc-edge-prod",
    "id": "inside-net",
    "networks": {"external": "dmz-net"},
    "tiers": {name: {"cidrs": tier["cidrs"]} for name, tier in policies.TIERS.items()},
}
POLICIES = {"gcp": {"rules": "network-policy"}}


def flows(parity: bool = True) -> st.SearchStrategy[Flow]:
    """As for AWS; what asks for ICMP does so of the IPv4 addresses, as a resolved row does."""
    return policies.flows(parity).map(_in_its_versions).filter(_has_ends)


def _in_its_versions(flow: Flow) -> Flow:
    def end(whole: End) -> End:
        return replace(whole, addresses=of_families(whole.addresses, flow.protocol.ip_versions))

    return flow._replace(source=end(flow.source), destination=end(flow.destination))


def _has_ends(flow: Flow) -> bool:
    return bool(flow.source.addresses and flow.destination.addresses)


def site(**more: object) -> Site:
    return policies.site(**{"cloud": "gcp", "network": NETWORK, **more})


def lower(
    *asked: Flow, interfaces: Iterable[Interface] = policies.INTERFACES, **more: object
) -> Lowered:
    """`more` are further keys of the deployment file."""
    return PROVIDER.lower(compile_policy(interfaces, asked), site(**more))


def proved(*asked: Flow, **more: object) -> Proof:
    """The proof of what is emitted for `asked`."""
    policy, here = compile_policy(policies.INTERFACES, asked), site(**more)
    lowered = PROVIDER.lower(policy, here)
    enforced = PROVIDER.enforcement(lowered.terraform, policy, here)
    return prove(policy, enforced, PROVIDER.expressible)


def firewalls(lowered: Lowered) -> dict[str, dict[str, Any]]:
    """Every VPC firewall rule by its Terraform name."""
    found: dict[str, dict[str, Any]] = lowered.terraform["resource"]["google_compute_firewall"]
    return found


def allowing(lowered: Lowered) -> Iterator[dict[str, Any]]:
    return (body for body in firewalls(lowered).values() if "allow" in body)


def policy_rules(lowered: Lowered) -> dict[str, list[dict[str, Any]]]:
    """The rules of each network firewall policy by the network it is attached to."""
    resources = lowered.terraform["resource"]
    kind = "google_compute_network_firewall_policy"
    return {
        resources[f"{kind}_association"][name]["attachment_target"].rpartition("/")[2]: body["rule"]
        for name, body in resources[f"{kind}_with_rules"].items()
    }
