"""A network load balancer that translates ports: a listener for what clients send to, a target
group for what arrives.

Targets are private addresses, so that the outer one of two cards is reached, and clients keep
their own addresses (`preserve_client_ip`): the groups of Expressway-E see and judge clients
themselves. Health probes come from the balancer's subnets (row platform/2/1).
"""

from __future__ import annotations

from collections.abc import Iterator

from flowbridge.deployment.file.options import AwsLoadBalancer
from flowbridge.deployment.file.site import AwsSite
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.policy.compiled import Policy
from flowbridge.providers.load_balancer import LABEL, Translator, refusal
from flowbridge.providers.provider import TerraformJson
from flowbridge.providers.terraform.content_names import content_hash, terraform_name
from flowbridge.providers.terraform.resource_set import ResourceSet

_SOURCE = "Elastic Load Balancing user guide, network load balancers"
_PROBER = "load-balancer"
_NAME_ROOM = 16  # of the 32 characters of a name: `fb-`, this, `-`, six digits, `-9443`


def emit_translator(
    translator: Translator, network_id: str, resources: ResourceSet
) -> TerraformJson:
    """Add the load balancer; its outputs."""
    site = translator.site.name
    tags = {"flowbridge:site": site, "flowbridge:service": LABEL}
    base = f"fb-{site[:_NAME_ROOM].rstrip('-')}-{content_hash(site, LABEL)[:6]}"
    balancer = terraform_name(LABEL)
    resources.add(
        "aws_lb",
        balancer,
        {
            "name": base,
            "load_balancer_type": "network",
            "internal": False,
            "subnets": sorted(set(_place(translator).subnets)),
            # Peers are reached from every subnet of the balancer, whatever zone they are in.
            "enable_cross_zone_load_balancing": True,
            "tags": tags,
        },
    )
    for part in translator.ports:
        group = terraform_name(LABEL, part.inside)
        resources.add(
            "aws_lb_target_group",
            group,
            {
                "name": f"{base}-{part.inside}",
                "port": part.inside,
                "protocol": "TCP",
                "target_type": "ip",
                "preserve_client_ip": "true",
                "vpc_id": network_id,
                "health_check": [{"protocol": "TCP", "port": "traffic-port"}],
                "tags": tags,
            },
        )
        group_arn = f"${{aws_lb_target_group.{group}.arn}}"
        for member, address in translator.targets:
            resources.add(
                "aws_lb_target_group_attachment",
                terraform_name(LABEL, part.inside, member.name),
                {"target_group_arn": group_arn, "target_id": address, "port": part.inside},
            )
        resources.add(
            "aws_lb_listener",
            terraform_name(LABEL, part.outside),
            {
                "load_balancer_arn": f"${{aws_lb.{balancer}.arn}}",
                "port": part.outside,
                "protocol": "TCP",
                "default_action": [{"type": "forward", "target_group_arn": group_arn}],
                "tags": tags,
            },
        )
    return {
        "jabber_guest_address": {
            "description": "Where the name of Jabber Guest has to lead",
            "value": f"${{aws_lb.{balancer}.dns_name}}",
        }
    }


def _place(translator: Translator) -> AwsLoadBalancer:
    """Where the file says that it stands."""
    return AwsSite.of(translator.site).options.jabber_guest.load_balancer


def findings(translator: Translator, policy: Policy) -> Iterator[Finding]:
    """What is missing for the load balancer, and what it leaves to the deployer."""
    site, key = translator.site, "options.jabber_guest.load_balancer.subnets"
    subnets = set(_place(translator).subnets)
    if not subnets:
        yield refusal(
            "aws/load-balancer-subnets",
            "the load balancer for Jabber Guest has no subnets: name public subnets of the VPC, in "
            f"the zones of Expressway-E, as `{key}`",
            key,
        )
    for tier in sorted({interface.tier for interface in policy.interfaces}):
        taken = sorted(subnets & set(site.network.tiers[tier].subnets))
        if taken:
            yield refusal(
                "aws/load-balancer-in-tier",
                f"{', '.join(taken)} is of tier {tier}, whose network ACL would cut the load "
                "balancer off from its clients: give it subnets of its own",
                key,
            )
    if _PROBER not in site.systems:
        yield refusal(
            "aws/load-balancer-probes",
            "the load balancer probes Expressway-E from its own subnets, and the file does not "
            f"say their ranges: add systems.{_PROBER}.addresses",
            f"systems.{_PROBER}",
        )
    ports = ", ".join(f"{part.outside} to {part.inside}" for part in translator.ports)
    yield Finding(
        id="aws/port-translation",
        severity=Severity.OBLIGATION,
        message=f"the network load balancer translates {ports} in front of "
        f"{translator.interface.key}, for "
        "every client, administrators too: administer over private addresses. The name of Jabber "
        "Guest has to lead to the output `jabber_guest_address`; media (TURN) goes to the public "
        "address of Expressway-E itself. Clients are seen by their own addresses, and their rules "
        "stay as they are.",
        source=_SOURCE,
        key="options.jabber_guest.translator",
    )
