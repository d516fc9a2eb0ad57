"""The deployment file of the contract, word for word, with its comments."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowbridge.deployment.finding import Severity
from flowbridge.deployment.read import resolve_file
from flowbridge.deployment.selection.resolution import Outcome
from tests.deployment.files import EXAMPLES, complaints

CONTRACT = """\
name: emea-edge                # becomes the stack's name
cloud: aws                     # aws | azure | gcp
region: eu-west-1
release: X15.0                 # Expressway release; decides release-dependent rows
size: large                    # small | medium | large
platform: vm                   # vm | appliance
network:
  id: vpc-0a1b2c3d4e5f60718    # AWS VPC id; Azure: resource_group + vnet; GCP: project + network(s)
  tiers:
    dmz:      {cidrs: [10.0.1.0/24, 10.0.2.0/24], subnets: [subnet-0aa, subnet-0ab]}
    internal: {cidrs: [10.0.10.0/24],             subnets: [subnet-0ba]}
expressway_e:
  tier: dmz
  nics: dual                   # dual | single
  peers:                       # one entry per cluster peer
    - {external: 10.0.1.11, internal: 10.0.2.11, public: 203.0.113.11}
expressway_c:
  tier: internal
  peers: [{address: 10.0.10.11}]
systems:                       # every other party, by its catalog name
  cucm:       {tier: internal, addresses: [10.0.10.21, 10.0.10.22]}   # a workload here
  imp:        {addresses: [10.20.0.31]}                               # external: addresses only
  admin-pc:   {addresses: [10.9.0.0/24]}
  dns:        {addresses: [10.0.10.2]}
  ntp:        {addresses: [10.0.10.3]}
services: [traversal-pair, sip-calls, mra]
options:
  sip_udp: false
  sip_tcp: false
  traversal_zones: 1
  media_ports: 36000-59999
  multiplexed_media: 2776-2777 # small/medium only; large: the first 12 media ports
  turn: {port: 3478, multiplexed: false, tcp_443: false}
  admin: {https_port: 443, ssh_port: 22, http_redirect: false}
  nat_reflection: auto         # auto: by release and topology | always | never
  errata: corrected            # corrected | printed
tests:                         # assertions, checked at every synth
  - {from: internet, to: expressway-e/external, protocol: udp, ports: 3478-3483, expect: allowed}
  - {from: internet, to: expressway-e, protocol: tcp, ports: [22, 443], expect: denied}
"""


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(CONTRACT, encoding="utf-8")
    return path


def test_the_contract_is_accepted_verbatim(contract: Path) -> None:
    resolution = resolve_file(contract)
    assert [interface.key for interface in resolution.interfaces] == [
        "cucm/single",
        "expressway-c/single",
        "expressway-e/external",
        "expressway-e/internal",
    ]
    assert not complaints(resolution)
    tables = {selected.id.rsplit("/", 1)[0] for selected in resolution.selected}
    documents = {table for table in tables if not table.startswith("ours/")}
    assert documents == {f"expressway/{n}" for n in (5, 6, 11, 15, 16, 17, 18, 19)}


def test_what_is_set_is_the_default(contract: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.yaml"
    bare.write_text(CONTRACT.split("options:")[0], encoding="utf-8")
    with_options, without = resolve_file(contract), resolve_file(bare)
    assert with_options.flows == without.flows


def test_one_key_can_be_set_from_outside(contract: Path) -> None:
    changed = resolve_file(contract, {"size": "medium", "options.turn.port": "443"}).site
    assert (changed.size.value, changed.options.turn.port.first) == ("medium", 443)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_whole(path: Path) -> None:
    """Each example names the schema for editors, and every service in it opens something."""
    head = path.read_text(encoding="utf-8").splitlines()[0]
    assert head == "# yaml-language-server: $schema=../schemas/deployment.schema.json"
    resolution = resolve_file(path)
    assert resolution.site.name == path.stem
    assert not [found for found in resolution.findings if found.severity is Severity.REFUSAL]
    carried = {
        selected.table.service
        for selected in resolution.selected
        if selected.outcome is Outcome.CARRIED and selected.table.service is not None
    }
    assert carried == set(resolution.site.services)
