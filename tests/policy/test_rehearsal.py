"""The rehearsal: what works, what hangs on a condition, and what is cut, each for its reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import yaml

from flowbridge.catalog.feature import Step, features_of
from flowbridge.deployment.flow import Flow
from flowbridge.policy.compiled import Demand, compile_policy
from flowbridge.policy.filter import Enforcement, Filter
from flowbridge.policy.packets.line import address_at
from flowbridge.policy.packets.packet import Packet
from flowbridge.policy.point import Point
from flowbridge.policy.questions.rehearsal import Answer, FeatureAnswer
from flowbridge.stacks.pipeline import Checked, build, judge, load
from flowbridge.stacks.rehearsal import features_of as rehearsed
from flowbridge.stacks.rehearsal import rehearsals
from tests.deployment.files import Data, setting
from tests.policy.one_packet import verdict

EXAMPLES = Path(__file__).parents[2] / "examples"
PHONES: Data = {
    "name": "phones",
    "cloud": "aws",
    "region": "eu-west-1",
    "network": {
        "id": "vpc-0a1b2c3d4e5f60718",
        "tiers": {"voice": {"cidrs": ["10.0.10.0/24"], "subnets": ["subnet-0aaaaaaaaaaaaaaa1"]}},
    },
    "systems": {
        "cucm": {"tier": "voice", "addresses": ["10.0.10.21", "10.0.10.22"]},
        "phone": {"addresses": ["10.46.0.0/16"]},
    },
    "services": ["cucm-phones"],
}


@cache
def checked(example: str) -> Checked:
    return judge(build(load(EXAMPLES / f"{example}.yaml")))


def written(data: Data, tmp_path: Path) -> Path:
    path = tmp_path / "deployment.yaml"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def of(data: Data, tmp_path: Path) -> dict[str, FeatureAnswer]:
    found = judge(build(load(written(data, tmp_path))))
    return {feature.id: feature for feature in found.features}


def without(enforcement: Enforcement, rows: frozenset[str]) -> Enforcement:
    """The filters without the rules that allow for any of `rows`."""

    def spared(stage: Filter) -> Filter:
        kept = tuple(rule for rule in stage.rules if not (rule.allow and rows & set(rule.rows)))
        return replace(stage, rules=kept)

    return {point: tuple(map(spared, stages)) for point, stages in enforcement.items()}


@pytest.mark.parametrize("example", ["azure-edge", "emea-edge", "gcp-edge", "single-nic"])
def test_what_is_emitted_works(example: str) -> None:
    assert not [str(each) for each in checked(example).features if each.answer is Answer.FAILS]
    assert sum(each.answer is Answer.WORKS for each in checked(example).features) >= 18


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp"])
def test_phones_get_files_and_music_and_printed_rows_alone_say_what_they_cost(
    cloud: str, tmp_path: Path
) -> None:
    network = {
        "aws": PHONES["network"],
        "azure": {
            "resource_group": "uc",
            "vnet": "uc",
            "tiers": {"voice": {"cidrs": ["10.0.10.0/24"], "subnets": ["voice"]}},
        },
        "gcp": {
            "project": "uc-edge-prod",
            "id": "inside",
            "tiers": {"voice": {"cidrs": ["10.0.10.0/24"]}},
        },
    }
    data = setting(PHONES, cloud=cloud, network=network[cloud])
    works = of(data, tmp_path)
    for name in ("cucm-phones/tftp", "cucm-phones/hold-music", "cucm-phones/conference"):
        assert works[name].answer is Answer.WORKS, works[name]
    cut = of(setting(data, options__errata="printed"), tmp_path)
    assert cut["cucm-phones/tftp"].answer is Answer.FAILS
    ((step, packet),) = cut["cucm-phones/tftp"].cuts
    assert step.does == "The server sends it from a port of its own choice"
    assert packet.row == "ours/7/1"
    assert any("corrected" in words for words in packet.opening)
    assert cut["cucm-phones/sip-registration"].answer is Answer.WORKS


def test_a_party_that_is_not_listed_is_a_condition_and_no_failure(tmp_path: Path) -> None:
    data = setting(PHONES, systems__phone=None, systems__gateway={"addresses": ["10.47.0.1"]})
    found = of(data, tmp_path)["cucm-phones/sip-registration"]
    assert found.answer is Answer.CONDITION
    assert found.conditions == ("you add systems.phone.addresses",)


def test_a_failing_feature_is_a_finding_until_it_is_accepted(tmp_path: Path) -> None:
    data = setting(PHONES, options__errata="printed")
    found = judge(build(load(written(data, tmp_path))))
    assert found.exit_code == 1
    failing = [each.id for each in found.features if each.is_finding]
    accepted = setting(data, accept=dict.fromkeys(failing, "not used"))
    assert judge(build(load(written(accepted, tmp_path)))).exit_code == 0


def test_halves_are_rehearsed_together() -> None:
    halves = [checked("split-core"), checked("split-edge")]
    (together,) = rehearsals(halves)
    found = {feature.id: feature for feature in together.features}
    assert found["mra/sign-in"].answer is Answer.WORKS
    alone = {feature.id: feature for feature in halves[1].features}
    assert alone["mra/sign-in"].answer is Answer.CONDITION
    assert len(rehearsals([checked("emea-edge"), checked("azure-edge")])) == 2
    # Of two that have the inner card's private address it is the one that names its core.
    [other, pair] = rehearsals([checked("edge-cluster"), *halves])
    assert len(other.files) == 1
    assert pair.files == together.files


def test_a_file_that_does_not_let_in_what_another_sends_cuts_it(tmp_path: Path) -> None:
    """The edge lists Unified CM elsewhere, and the file of Unified CM lists no Expressway."""
    edge = setting(
        yaml.safe_load((EXAMPLES / "emea-edge.yaml").read_text("utf-8")),
        systems__cucm=None,
        systems__publisher={"roles": ["cucm"], "addresses": ["10.0.11.21"]},
        tests=[],
    )
    voice = setting(
        PHONES,
        network__tiers__voice__cidrs=["10.0.11.0/24"],
        systems__cucm={"tier": "voice", "addresses": ["10.0.11.21", "10.0.11.22"]},
    )
    files = [tmp_path / "edge.yaml", tmp_path / "voice.yaml"]
    for path, data in zip(files, (edge, voice), strict=True):
        path.write_text(json.dumps(data), encoding="utf-8")
    halves = [judge(build(load(path))) for path in files]
    alone = {feature.id: feature for feature in halves[0].features}
    assert alone["mra/sign-in"].answer is Answer.WORKS
    (together,) = rehearsals(halves)
    found = {feature.id: feature for feature in together.features}
    assert found["mra/sign-in"].answer is Answer.FAILS
    ((_, cut),) = found["mra/sign-in"].cuts
    assert (cut.deployment, cut.row) == ("phones", "expressway/18/10")
    assert any("list expressway-c under `systems`" in words for words in cut.opening)
    assert found["mra/provisioning-http"].answer is Answer.CONDITION
    assert found["cucm-phones/sip-registration"].answer is Answer.WORKS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("example", "start"), [("emea-edge", 0), ("azure-edge", 1), ("gcp-edge", 2), ("single-nic", 3)]
)
def test_a_rule_that_is_removed_cuts_exactly_the_features_that_need_it(
    example: str, start: int
) -> None:
    """The rules of every tenth row knocked out, other ones on each example.

    What then gets through is read from the filters one packet at a time, and which features need
    it from the catalog: neither asks the rehearsal.
    """
    whole = checked(example)
    before = {each.id: each for each in whole.features}
    flows = {each.id: each.flows for each in whole.built.resolution.selected if each.flows}
    named = {row for name in before for step in steps_of(name) for way in step.ways for row in way}
    found = 0
    for row in sorted(named & flows.keys())[start::10]:
        left = without(whole.enforcement, frozenset({row}))
        cut = {other for other in named & flows.keys() if not passes(flows[other], left)}
        found += row in cut
        after = rehearsed(replace(whole.seen, enforcement=left))
        for feature in after:
            if before[feature.id].answer is Answer.FAILS:
                continue
            needs = any(
                any(set(way) & cut for way in step.ways)
                and not any(set(way) <= flows.keys() - cut for way in step.ways)
                for step in steps_of(feature.id)
            )
            assert (feature.answer is Answer.FAILS) == needs, (row, str(feature))
    assert found >= 2


def steps_of(name: str) -> tuple[Step, ...]:
    return features_of(name.split("/")[0])[name].steps


def passes(flows: Iterable[Flow], enforcement: Enforcement) -> bool:
    """Whether the first and last packets of each flow get through, and so do their answers."""
    return all(
        through(enforcement, point, packet)
        for flow in flows
        for point, demands in compile_policy((), (flow,)).demands.items()
        for demand in demands
        for packet in ends_of(demand)
    )


def through(enforcement: Enforcement, point: Point, packet: Packet) -> bool:
    back = Point(point.interface, point.direction.opposite)
    answer = packet.reply()
    return all(verdict(stage, packet)[0] for stage in enforcement.get(point, ())) and (
        answer is None
        or all(stage.stateful or verdict(stage, answer)[0] for stage in enforcement.get(back, ()))
    )


def ends_of(demand: Demand) -> Iterator[Packet]:
    for first, last, relation in demand.packets.line(demand.flow.protocol):
        for index in (first, last):
            for sources, destinations in relation:
                for source in (low(sources), sources.bit_length() - 1):
                    for port in (low(destinations), destinations.bit_length() - 1):
                        yield Packet(address_at(index), demand.flow.protocol, source, port)


def low(mask: int) -> int:
    return (mask & -mask).bit_length() - 1
