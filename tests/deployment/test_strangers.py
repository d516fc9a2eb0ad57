"""No stranger reaches management, databases or what serves the inside, whoever asks for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flowbridge.catalog.guarded import Guard, guarded
from flowbridge.catalog.load import load
from flowbridge.catalog.party import PartyKind
from flowbridge.catalog.port_set import port_mask
from flowbridge.catalog.ports import PortRange
from flowbridge.deployment.finding import Severity
from flowbridge.deployment.interfaces import EDGE
from flowbridge.deployment.read import resolve_file
from flowbridge.deployment.selection.resolution import Resolution
from tests.deployment.files import DUAL, EXAMPLES, Data, problems, resolved, setting

WORDS = "Partners without fixed addresses use it, for one week."
WORLDS = {
    "all": ["0.0.0.0/0"],
    "halves": ["0.0.0.0/1", "128.0.0.0/1"],
    "IPv6": ["::/0"],
}
PHONES: Data = setting(
    DUAL,
    services=["traversal-pair", "mra", "cucm-applications", "cucm-common", "cucm-ldap"],
    network__tiers__internal__cidrs=["10.0.10.0/24", "2001:db8:10::/64"],
    expressway_c__peers=[{"address": ["10.0.10.11", "2001:db8:10::11"]}],
    systems={
        "cucm": {"tier": "internal", "addresses": ["10.0.10.21", "2001:db8:10::21"]},
        "imp": {"addresses": ["10.20.0.31"]},
        "admin-pc": {"addresses": ["10.9.0.0/24"]},
    },
)
OVERLAY = """\
document: acme
tables:
  - table: 1
    service: badge
    title: {en: Badge readers}
    rows:
      - row: 1
        purpose: {en: Door events}
        source: {parties: [{party: internet}]}
        source_ports: {alternatives: [{ports: 1024-65535}]}
        protocol: {l4: [tcp]}
        destination: {parties: [{party: PARTY}]}
        destination_ports: {alternatives: [{ports: PORT}]}
"""


def refusals(resolution: Resolution) -> list[str]:
    return [f"{f.key}: {f.message}" for f in resolution.findings if f.severity is Severity.REFUSAL]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(
    ("party", "what"),
    [
        ("uc-application", "AXL"),
        ("ctl-client", "trust list"),
        ("endpoint", "Unified CM"),
        ("ldap", "directory"),
    ],
)
def test_a_system_that_is_the_world_reaches_nothing_inside(
    world: str, party: str, what: str
) -> None:
    data = setting(PHONES, **{f"systems__{party}": {"addresses": WORLDS[world]}})
    found = refusals(resolved(data))
    assert any(f"systems.{party}.addresses" in text and what in text for text in found), found
    narrow = setting(PHONES, **{f"systems__{party}": {"addresses": ["198.51.100.0/24"]}})
    assert not refusals(resolved(narrow))


def test_a_core_elsewhere_that_is_the_world_has_no_tunnel() -> None:
    data = setting(PHONES, expressway_c=None)
    far = {"addresses": ["0.0.0.0/0"]}
    found = refusals(resolved(setting(data, **{"systems__expressway-c": far})))
    assert any("SSH tunnel port" in text and "2222" in text for text in found), found
    assert any("SIP traversal zones" in text for text in found), found


def test_words_for_one_party_let_that_party_pass_and_nothing_else() -> None:
    world = setting(PHONES, **{"systems__uc-application": {"addresses": ["0.0.0.0/0"]}})
    said = setting(world, options={"open_to_anyone": {"uc-application": WORDS}})
    (left,) = refusals(resolved(said))
    assert "AXL" in left, "management has words of its own"
    both = setting(said, options__admin={"allow_from_anywhere": WORDS})
    assert not refusals(resolved(both))
    other = setting(both, **{"systems__ctl-client": {"addresses": ["0.0.0.0/0"]}})
    assert refusals(resolved(other))


@pytest.mark.parametrize(
    ("port", "key"),
    [
        (8080, "options.admin.allow_from_anywhere"),
        (9463, "options.admin.allow_from_anywhere"),
        (6604, "options.open_to_anyone.internet"),
        (5222, "options.open_to_anyone.internet"),
    ],
)
def test_management_of_im_and_presence_has_words_of_its_own(
    port: int, key: str, tmp_path: Path
) -> None:
    text = OVERLAY.replace("PARTY", "imp").replace("PORT", str(port))
    (tmp_path / "overlay.yaml").write_text(text, encoding="utf-8")
    nodes = {"tier": "internal", "addresses": ["10.0.10.31"]}
    data = setting(
        PHONES, services=["badge"], overlays=["overlay.yaml"], systems={"imp": nodes}, tests=[]
    )
    (tmp_path / "site.yaml").write_text(json.dumps(data), encoding="utf-8")
    found = refusals(resolve_file(tmp_path / "site.yaml"))
    assert any(key in text for text in found), found


def test_words_are_for_parties_that_exist() -> None:
    (problem,) = problems(setting(DUAL, options={"open_to_anyone": {"uc-aplication": WORDS}}))
    assert problem.key == "options.open_to_anyone.uc-aplication"
    assert "uc-application" in problem.message


@pytest.mark.parametrize("example", [e for e in EXAMPLES if "split" not in e.stem], ids=str)
@pytest.mark.parametrize(
    ("party", "port", "refused"),
    [(EDGE, 22, True), (EDGE, 443, True), (EDGE, 4371, True), (EDGE, 5061, False)],
)
def test_an_overlay_opens_no_management(
    example: Path, party: str, port: int, refused: bool, tmp_path: Path
) -> None:
    text = OVERLAY.replace("PARTY", party).replace("PORT", str(port))
    (tmp_path / "overlay.yaml").write_text(text, encoding="utf-8")
    file = tmp_path / "site.yaml"
    file.write_text(example.read_text("utf-8"), encoding="utf-8")
    services = "[traversal-pair, sip-calls, mra, badge]"
    changes = {
        "overlays": "[overlay.yaml]",
        "services": services,
        "options.admin.https_port": "443",
    }
    found = resolve_file(file, changes).findings
    opened = [f for f in found if f.severity is Severity.REFUSAL and "acme/1/1" in f.source]
    assert bool(opened) is refused, opened


@pytest.mark.parametrize("nat", [["0.0.0.0/0"], ["0.0.0.0/1", "128.0.0.0/1"], ["::/0"]], ids=str)
def test_a_gateway_is_not_the_world(nat: list[str]) -> None:
    (problem,) = problems(setting(DUAL, network__tiers__internal__nat=nat))
    assert problem.key == "network.tiers.internal.nat"
    assert not problems(setting(DUAL, network__tiers__internal__nat=["198.51.100.8/29"]))


def test_what_the_documents_print_for_the_internet_is_not_guarded() -> None:
    """But for what management itself prints: no row of the internet asks for it by default."""
    catalog = load()
    internet = {name for name, party in catalog.parties.items() if party.default == "internet"}
    defaults: dict[str, Any] = {
        name: parameter.default or () for name, parameter in catalog.parameters.items()
    }
    shared = {"expressway/20/2", "expressway/21/3", "expressway/24/1"}  # 443, when it is moved
    for entry in catalog.entries():
        row = entry.row.corrected()
        if not {p.party for p in row.source.parties} & internet or entry.id in shared:
            continue
        asked = port_mask(
            port for each in row.destination_ports.alternatives for port in each.ports
        )
        for reference in row.destination.parties:
            party = guarded().get(reference.party)
            if party is None or (reference.party != EDGE and party.rest is None):
                continue
            for service in party.services:
                ports = service.ports or defaults.get(service.parameter or "", ())
                if set(service.protocols) & set(row.protocol.l4) and entry.added is None:
                    assert not asked & port_mask(ports), (entry.id, service.what)


def test_every_management_row_of_the_documents_is_guarded() -> None:
    catalog = load()
    redirects = {80}  # Expressway-E answers there with a redirect, and guests of ACME and others
    for entry in catalog.entries():
        row = entry.row.corrected()
        for reference in row.destination.parties if row.management else ():
            party = guarded().get(reference.party)
            assert party is not None, entry.id
            asked = port_mask(p for each in row.destination_ports.alternatives for p in each.ports)
            named = {each.parameter for each in row.destination_ports.alternatives}
            known = port_mask(
                port
                for service in party.services
                if service.guard is Guard.MANAGEMENT
                and set(service.protocols) & set(row.protocol.l4)
                for port in service.ports
            )
            moved = {service.parameter for service in party.services} & named - {None}
            if reference.party == EDGE:
                asked &= ~port_mask(PortRange(p, p) for p in redirects)
            assert moved or not asked & ~known, entry.id


def test_the_guarded_are_parties_and_parameters_of_the_catalog() -> None:
    catalog = load()
    for name, party in guarded().items():
        assert catalog.parties[name].kind in (PartyKind.SYSTEM, PartyKind.WORKLOAD)
        for service in party.services:
            assert service.parameter is None or service.parameter in catalog.parameters
