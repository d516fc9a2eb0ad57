"""Flowbridge on the cases of `bench/policy.py`, in a process of its own, as its peers are.

    python bench/policy_ours.py compile POLICIES FILE [apart]
    python bench/policy_ours.py check PACKETS
    python bench/policy_ours.py shade
    python bench/policy_ours.py prove DEPLOYMENT.yaml
    python bench/policy_ours.py grow flows|members|deployments DEPLOYMENT.yaml TIMES

Each task imports what it needs, as each command of the product does. Prints one JSON object;
`compile` writes the Terraform JSON of the first policy to FILE.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.policy_cases import EACH, WORKLOAD, Case, flows, packets, planted
from flowbridge.catalog.ports import ANY_PORT, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.file.site import Site, site_of_data
from flowbridge.deployment.flow import End, Flow
from flowbridge.deployment.interface import Interface, Member, Network
from flowbridge.policy.compiled import Policy, compile_policy
from flowbridge.providers.gcp.cloud import PROVIDER
from flowbridge.providers.provider import Lowered

NETWORK = "bench"


def site() -> Site:
    """A site on Google Cloud whose workload is the target of every rule."""
    return site_of_data(
        {
            "name": "bench",
            "cloud": "gcp",
            "region": "europe-west1",
            "network": {"id": NETWORK, "tiers": {"dmz": {"cidrs": ["10.1.0.0/24"]}}},
            "services": ["sip-calls"],
        }
    )


def card(workload: str, name: str, *addresses: str) -> Interface:
    members = tuple(Member(text, (ip_network(text),)) for text in addresses)
    return Interface(workload=workload, name=name, tier="dmz", members=members)


EDGE = card("edge", "external", *WORKLOAD)
CORE = card("core", "single", "10.1.0.21")


@cache
def _spans(ports: tuple[tuple[int, int], ...]) -> tuple[PortRange, ...]:
    """As from the catalog, where every deployment finds the same ranges."""
    return tuple(PortRange(first, last) for first, last in ports)


def policy_of(cases: Sequence[Case]) -> Policy:
    """The flows as the deployment room hands them over."""
    inside = End(party="edge", interface=EDGE, addresses=EDGE.private)
    known = {case.party: case.networks for case in cases}
    systems = {
        party: End(party=party, interface=None, addresses=tuple(map(ip_network, networks)))
        for party, networks in known.items()
    }
    protocols = {text: Protocol.parse(text) for text in {case.protocol for case in cases}}
    anywhere = (ANY_PORT,)
    asked = [
        Flow(
            systems[case.party],
            inside,
            protocols[case.protocol],
            anywhere,
            _spans(case.ports),
            (f"expressway/11/{index % EACH + 1}",),
        )
        for index, case in enumerate(cases)
    ]
    return compile_policy((EDGE,), asked)


def compile_all(count: int, target: Path, *, apart: bool) -> dict[str, Any]:
    """Flows to Terraform JSON text, with rows, quotas, excess and obligations."""
    here = site()
    rules = 0
    for number in range(count):
        lowered = PROVIDER.lower(policy_of(list(flows(number, apart=apart))), here)
        text = json.dumps(lowered.terraform)
        if number == 0:
            target.write_text(text, "utf-8")
            rules = _count(lowered)
    return {"rules": rules}


def _count(lowered: Lowered) -> int:
    return sum(
        len(named)
        for kind, named in lowered.terraform["resource"].items()
        if kind == "google_compute_firewall"
    )


def check_all(count: int) -> dict[str, Any]:
    """A trace of each packet. Reading the rules is not counted, making the indexes is."""
    from flowbridge.policy.questions.question import Question
    from flowbridge.policy.questions.trace import Tracer, Verdict

    policy, here = policy_of(list(flows(0))), site()
    lowered = PROVIDER.lower(policy, here)
    enforcement = PROVIDER.enforcement(json.loads(json.dumps(lowered.terraform)), policy, here)
    asked = packets(count)
    answers: list[bool] = []
    started = time.process_time()
    tracer = Tracer(policy, enforcement)
    for source, protocol, source_port, port in asked:
        question = Question(
            source,
            WORKLOAD[0],
            Protocol.parse(protocol),
            (PortRange(port, port),),
            (PortRange(source_port, source_port),),
        )
        answers.append(tracer.trace(question).verdict is Verdict.ALLOWED)
    return {"cpu": time.process_time() - started, "answers": answers}


def planted_document() -> dict[str, Any]:
    """The planted rules as Terraform JSON."""
    rules = {
        case.name: {
            "name": case.name,
            "network": NETWORK,
            "direction": "INGRESS",
            "source_ranges": list(case.networks),
            "target_tags": [case.target],
            "allow": [
                {
                    "protocol": case.protocol,
                    "ports": [str(a) if a == b else f"{a}-{b}" for a, b in case.ports],
                }
            ],
        }
        for case in planted()
    }
    return {"resource": {"google_compute_firewall": rules}}


def shade() -> dict[str, Any]:
    """The rules that can be removed together without changing a packet."""
    from flowbridge.policy.proof.redundancy import redundant_rules

    policy = compile_policy((EDGE, CORE), ())
    enforcement = PROVIDER.enforcement(planted_document(), policy, site())
    found = redundant_rules(enforcement)
    return {"found": sorted(each.rule.partition(".")[2] for each in found if each.removable)}


def prove_file(file: Path) -> dict[str, Any]:
    """Reading the document of a deployment back, and the proof on it, from empty caches."""
    from flowbridge.policy.proof.proof import prove
    from flowbridge.stacks.pipeline import build, load

    built = build(load(file))
    text = json.dumps(built.document)
    _forget()
    started = time.process_time()
    enforcement = built.provider.enforcement(json.loads(text), built.policy, built.resolution.site)
    read = time.process_time()
    proof = prove(built.policy, enforcement, built.provider.expressible)
    done = time.process_time()
    assert not list(proof.failures())
    return {"cpu": done - started, "proof": done - read, "rules": _rules(built.document)}


def _rules(document: dict[str, Any]) -> int:
    return sum(len(named) for named in document["resource"].values())


def _forget() -> None:
    """Nobody starts with a full cache."""
    from flowbridge.policy import compiled
    from flowbridge.policy.packets import packet_set, relation

    for module in (compiled, packet_set, relation):
        for function in vars(module).values():
            if hasattr(function, "cache_clear"):
                function.cache_clear()


def grow(what: str, file: Path, times: int) -> dict[str, Any]:
    """Compile, lower, read back and prove `file` made `times` as large."""
    from flowbridge.policy.proof.proof import prove
    from flowbridge.providers.registry import provider_for
    from flowbridge.stacks.pipeline import load

    known = load(file)
    here = known.site
    provider = provider_for(here.cloud)
    cards, asked = known.interfaces, known.flows
    if what == "flows":
        asked = tuple(_copy(flow, number) for number in range(times) for flow in asked)
    elif what == "members":
        grown = {one.key: _with_members(one, times) for one in cards}
        cards = tuple(grown.values())
        asked = tuple(
            flow._replace(
                source=_regrown(flow.source, grown),
                destination=_regrown(flow.destination, grown),
            )
            for flow in asked
        )
    _forget()
    started = time.process_time()
    for _ in range(times if what == "deployments" else 1):
        policy = compile_policy(cards, asked)
        lowered = provider.lower(policy, here)
    compiled = time.process_time()
    for _ in range(times if what == "deployments" else 1):
        enforcement = provider.enforcement(lowered.terraform, policy, here)
        proof = prove(policy, enforcement, provider.expressible)
    proved = time.process_time()
    return {
        "flows": len(asked),
        "members": sum(len(one.members) for one in cards),
        "rules": len(lowered.rules),
        "lower": compiled - started,
        "prove": proved - compiled,
        "holds": not list(proof.failures()),
    }


def _copy(flow: Flow, number: int) -> Flow:
    """The flow once more: other systems ask for ports moved up a little."""
    if number == 0:
        return flow

    def end(one: End) -> End:
        if one.interface is not None:
            return one
        moved = tuple(_moved(network, number) for network in one.addresses)
        return replace(one, party=f"{one.party}-{number}", addresses=moved)

    ports = tuple(
        span if span == ANY_PORT else PortRange(min(span.first + number, span.last), span.last)
        for span in flow.destination_ports
    )
    source, destination = end(flow.source), end(flow.destination)
    return flow._replace(source=source, destination=destination, destination_ports=ports)


def _moved(network: Network, number: int) -> Network:
    if network.prefixlen == 0:
        return network
    size = network.num_addresses
    return ip_network((int(network.network_address) + number * max(size, 256), network.prefixlen))


def _with_members(one: Interface, times: int) -> Interface:
    members = [
        replace(
            member,
            name=f"{member.name}-{number}",
            private=tuple(_host(network, number) for network in member.private),
            public=tuple(_host(network, number) for network in member.public),
        )
        for number in range(times)
        for member in one.members
    ]
    return replace(one, members=tuple(members))


def _host(network: Network, number: int) -> Network:
    """Another host of the same /24: real ones have numbers below 50."""
    return ip_network((int(network.network_address) + 4 * number, network.prefixlen))


def _regrown(end: End, grown: dict[str, Interface]) -> End:
    if end.interface is None:
        return end
    now = grown[end.interface.key]
    own = end.interface.private
    if set(end.addresses) <= set(own):
        return replace(end, interface=now, addresses=now.private)
    if set(end.addresses) <= set(end.interface.public):
        return replace(end, interface=now, addresses=now.public)
    return replace(end, interface=now)


def main(task: str, *arguments: str) -> dict[str, Any]:
    match task:
        case "compile":
            apart = "apart" in arguments
            return compile_all(int(arguments[0]), Path(arguments[1]), apart=apart)
        case "check":
            return check_all(int(arguments[0]))
        case "shade":
            return shade()
        case "prove":
            return prove_file(Path(arguments[0]))
        case "grow":
            return grow(arguments[0], Path(arguments[1]), int(arguments[2]))
    raise SystemExit(f"no task {task}")


if __name__ == "__main__":
    gc.disable()  # as `main.py` does
    print(json.dumps(main(*sys.argv[1:])))
