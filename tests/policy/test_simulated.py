"""The rehearsal against a second reader of the JSON (`json_simulator`), as it is emitted and with
the rules of a row removed: the same features fail, and exactly those that need the row."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cache
from ipaddress import IPv4Network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml

from flowbridge.deployment.flow import End, Flow
from flowbridge.deployment.selection.conversations import Conversation, Line, PlayedStep
from flowbridge.policy.questions.rehearsal import Answer
from flowbridge.stacks.pipeline import Built, build, load
from flowbridge.stacks.rehearsal import conversations_of, features_of
from flowbridge.stacks.seen import laid_together
from tests.deployment.files import Data
from tests.policy.json_simulator import Card, Seen, Simulator, without
from tests.policy.test_rehearsal import EXAMPLES

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
VOICE: Data = {
    "systems": {
        "cucm": {"tier": "voice", "addresses": ["10.0.10.21", "10.0.10.22"]},
        "phone": {"addresses": ["10.46.0.0/16"]},
        "endpoint": {"addresses": ["10.46.0.0/16"]},
        "gateway": {"addresses": ["10.47.0.1"]},
        "dns": {"addresses": ["10.0.9.2"]},
        "ntp": {"addresses": ["10.0.9.3"]},
    },
    "services": ["cucm-phones", "cucm-cluster", "cucm-common", "cucm-gateways"],
    "options": {"cucm": {"ipsec_protocols": ["esp", "ah"]}},
}
NETWORKS: dict[str, Data] = {
    "aws": {
        "id": "vpc-0a1b2c3d4e5f60718",
        "tiers": {"voice": {"cidrs": ["10.0.10.0/24"], "subnets": ["subnet-0aaaaaaaaaaaaaaa1"]}},
    },
    "azure": {
        "resource_group": "uc",
        "vnet": "uc",
        "tiers": {"voice": {"cidrs": ["10.0.10.0/24"], "subnets": ["voice"]}},
    },
    "gcp": {"project": "uc-prod", "id": "in", "tiers": {"voice": {"cidrs": ["10.0.10.0/24"]}}},
}
# Examples, and what none of them has: phones on each cloud, one network card on Azure.
EXAMPLE_NAMES = tuple(sorted(path.stem for path in EXAMPLES.glob("*.yaml")))
NAMES = (*EXAMPLE_NAMES, "azure-single", *(f"voice-{cloud}" for cloud in NETWORKS))


@cache
def site(name: str) -> dict[str, Any]:
    if name.startswith("voice-"):
        cloud = name.removeprefix("voice-")
        own = {"name": name, "cloud": cloud, "region": "eu-west-1", "network": NETWORKS[cloud]}
        return {**own, **VOICE}
    file = "azure-edge" if name == "azure-single" else name
    found: dict[str, Any] = yaml.safe_load((EXAMPLES / f"{file}.yaml").read_text("utf-8"))
    if name == "azure-single":
        peer = {"address": "10.0.1.11", "public": "203.0.113.11", "eni": "edge-1"}
        found["expressway_e"] = {"tier": "dmz", "nics": "single", "peers": [peer]}
        found["tests"] = []
    return found


@cache
def whole(name: str) -> Built:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "site.yaml"
        path.write_text(yaml.safe_dump(site(name)), "utf-8")
        built = build(load(path))
    assert not built.refusals, built.refusals
    return built


@cache
def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(whole(name).document))
    return found


@cache
def played(example: str) -> tuple[Conversation, ...]:
    built = whole(example)
    return conversations_of(built, built.resolution.site.services)


@cache
def packets(example: str) -> dict[int, tuple[Seen, ...]]:
    """The corners of every flow that is played, as each card of ours sees them."""
    cards = Simulator(document(example), site(example)).cards
    flows = {
        id(flow): flow
        for conversation in played(example)
        for step in conversation.steps
        for way in step.ways
        for line in way
        for flow in line.flows
    }
    return {key: tuple(seen_of(flow, cards)) for key, flow in flows.items()}


def seen_of(flow: Flow, cards: list[Card]) -> Iterator[Seen]:
    for own, other, out in (
        (flow.source, flow.destination, True),
        (flow.destination, flow.source, False),
    ):
        key = own.interface.key if own.interface else None
        sources = flow.source_ports if out else flow.arriving_ports
        for card in cards:
            if card.key != key:
                continue
            for peer in corners(other):
                for source in ends(sources):
                    for port in ends(flow.destination_ports):
                        yield Seen(card, out, peer, int(flow.protocol), source, port)


def ends(spans: Any) -> list[int]:
    return sorted({n for span in (spans[0], spans[-1]) for n in (span.first, span.last)})


def corners(end: End) -> list[Any]:
    """The first and last addresses of a party, without those that are not meant."""
    networks = [network for network in end.addresses if isinstance(network, IPv4Network)]
    found = {
        address
        for network in {*networks[:3], *networks[-3:]}
        for address in (network[0], network[-1])
        if not any(address in each for each in end.inside)
    }
    return sorted(found)


def failing(example: str, simulator: Simulator) -> set[str]:
    """The features that fail by the simulator: some step has no way whose packets all pass."""
    seen = packets(example)

    def line(each: Line) -> str:
        refused = any(not simulator.passes(s) for flow in each.flows for s in seen[id(flow)])
        if each.flows and not refused:
            return "passes"
        if each.conditions:
            return "hangs"
        return "fails" if refused else "passes"

    def step(each: PlayedStep) -> str:
        ways = [{line(one) for one in way} for way in each.ways]
        if not ways or any(found == {"passes"} for found in ways):
            return "passes"
        return "fails" if any("fails" in found for found in ways) else "hangs"

    return {each.id for each in played(example) if "fails" in map(step, each.steps)}


def rehearsed(example: str, emitted: dict[str, Any]) -> set[str]:
    built = whole(example)
    policy, of = built.policy, built.resolution.site
    enforcement = built.provider.enforcement(emitted, policy, of)
    around = built.provider.around(emitted, policy, of)
    found = features_of(laid_together([(built, enforcement, tuple(around))]))
    return {each.id for each in found if each.answer is Answer.FAILS}


@pytest.mark.parametrize("example", NAMES)
def test_both_readers_agree_on_every_feature(example: str) -> None:
    emitted = document(example)
    assert len(packets(example)) > 5
    assert (
        failing(example, Simulator(emitted, site(example))) == rehearsed(example, emitted) == set()
    )


@pytest.mark.slow
@pytest.mark.parametrize("place", range(len(NAMES)), ids=NAMES)
def test_a_row_removed_from_the_json_cuts_what_needs_it(place: int) -> None:
    """A few rows on each; HYPOTHESIS_PROFILE=thorough removes every row of every one."""
    name = NAMES[place]
    rows = sorted(
        {line.row for each in played(name) for s in each.steps for way in s.ways for line in way}
    )
    chosen = rows if THOROUGH else rows[place :: len(NAMES)][:2]
    found = 0
    for row in chosen:
        emitted = without(document(name), row)
        cut = failing(name, Simulator(emitted, site(name)))
        assert rehearsed(name, emitted) == cut, row
        found += bool(cut)
    assert found or not THOROUGH


def test_a_row_that_is_needed_is_missed_by_both() -> None:
    emitted = without(document("emea-edge"), "expressway/16/1")
    cut = failing("emea-edge", Simulator(emitted, site("emea-edge")))
    assert cut == rehearsed("emea-edge", emitted)
    assert {"mra/sign-in", "mra/provisioning", "mra/directory"} <= cut
    assert "mra/call-media" not in cut
