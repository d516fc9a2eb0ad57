"""Planted live situations in Google Cloud: odd rules, machines that are gone, peers elsewhere."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from flowbridge.policy.audit.audit import Audit, Verdict
from flowbridge.policy.audit.untold import Standing
from flowbridge.providers.live.contract import Access, reader_for
from tests.live.gcp.estates import POLICIES, Changes, deployed, example, planned, read
from tests.live.gcp.server import (
    PROJECT,
    ROOT,
    GoogleCloud,
    Json,
    Refusal,
    apply_terraform,
    serving,
)
from tests.live.planted import Situation, check, opened_by, parameters, told

HOST = "host-prod"
SHARED: Changes = (
    ("network.id", f"projects/{HOST}/global/networks/inside-net"),
    ("network.networks.external", f"projects/{HOST}/global/networks/dmz-net"),
    ("network.networks.internal", f"projects/{HOST}/global/networks/inside-net"),
)
ANYWHERE = {"sourceRanges": ["0.0.0.0/0"]}
TCP = [{"IPProtocol": "tcp", "ports": ["22", "443"]}]

# What a firewall rule may say and none is known to mean.
ODD: dict[str, Json] = {
    "a protocol that is none": {"allowed": [{"IPProtocol": "frob"}]},
    "a protocol beyond 255": {"allowed": [{"IPProtocol": "300"}]},
    "a negative protocol": {"allowed": [{"IPProtocol": "-1"}]},
    "no protocol": {"allowed": [{"ports": ["22"]}]},
    "ports of ICMP": {"allowed": [{"IPProtocol": "icmp", "ports": ["8"]}]},
    "ports of ESP": {"allowed": [{"IPProtocol": "esp", "ports": ["1-2"]}]},
    "ports of everything": {"allowed": [{"IPProtocol": "all", "ports": ["22"]}]},
    "a port beyond 65535": {"allowed": [{"IPProtocol": "tcp", "ports": ["70000"]}]},
    "a port that is a word": {"allowed": [{"IPProtocol": "tcp", "ports": ["ssh"]}]},
    "ports backwards": {"allowed": [{"IPProtocol": "tcp", "ports": ["90-80"]}]},
    "a source that is no range": {"sourceRanges": ["10.0.0.0/99"]},
    "a source that is a name": {"sourceRanges": ["office"]},
    "a priority beyond the last": {"priority": 70000},
    "neither allows nor denies": {"allowed": []},
    "allows and denies": {"denied": [{"IPProtocol": "udp"}]},
}


def ssh(cloud: GoogleCloud) -> None:
    """The hole beside it, which nothing may hide."""
    own = {"priority": 500, "allowed": [{"IPProtocol": "tcp", "ports": ["22"]}], **ANYWHERE}
    cloud.add_firewall("ssh-hole", "dmz-net", **own)


def odd(cloud: GoogleCloud, network: str, own: Json) -> None:
    cloud.add_firewall("odd", network, **{"priority": 600, "allowed": TCP, **ANYWHERE, **own})


def audited(cloud: GoogleCloud, changes: Changes = ()) -> Audit:
    with serving(cloud) as url:
        return read(url, changes).audit


@pytest.mark.parametrize("network", ["dmz-net", "inside-net"])
@pytest.mark.parametrize("name", ODD)
def test_planted_odd_rule_does_not_blind(name: str, network: str) -> None:
    cloud = deployed()
    odd(cloud, network, ODD[name])
    ssh(cloud)
    found = audited(cloud)
    assert (found.verdict, found.unread) == (Verdict.DRIFT, ())
    assert "ssh-hole" in opened_by(found)
    assert {each.rule.id for each in found.untold if each.rule} == {"odd"}
    assert all(each.standing is Standing.FINDING for each in found.untold)
    assert "cannot be told" in told(found)
    [state] = [state for state in found.unmanaged if state.rule.id == "odd"]
    assert state.drift


@pytest.mark.parametrize("protocol", ["ipip", "IPIP", "4", "0", "47", "58", "132", "255"])
def test_planted_protocol_without_ports_is_a_protocol(protocol: str) -> None:
    cloud = deployed()
    odd(cloud, "inside-net", {"allowed": [{"IPProtocol": protocol}]})
    found = audited(cloud)
    assert (found.verdict, found.unread, found.untold) == (Verdict.DRIFT, (), ())
    assert opened_by(found) == {"odd"}


# Machines that are not there, and what stands in their place.


def leave(cloud: GoogleCloud, machine: str) -> None:
    del cloud.instances[machine]


def move(cloud: GoogleCloud, machine: str, address: str) -> None:
    cloud.instances[machine]["networkInterfaces"][0]["networkIP"] = address


def stranger(cloud: GoogleCloud, interface: str, network: str = "inside-net") -> None:
    tags = [f"fb-gcp-edge-{interface}"]
    cloud.add_instance("stranger", (network, "10.0.10.66", None), tags=tags)


def rebuilt(cloud: GoogleCloud) -> None:
    move(cloud, "edge-1", "10.0.1.50")
    cloud.tags("edge-1").append("web")
    own = {"priority": 500, "allowed": TCP, "targetTags": ["web"], **ANYWHERE}
    cloud.add_firewall("open", "dmz-net", **own)


def rebuilt_untagged(cloud: GoogleCloud) -> None:
    rebuilt(cloud)
    cloud.tags("edge-1")[:] = ["web"]


MEMBERS: tuple[Situation[GoogleCloud], ...] = (
    Situation(
        name="a node of Unified CM is gone",
        plant=lambda cloud: leave(cloud, "cucm-2"),
        verdict=Verdict.INCOMPLETE,
        says="10.0.10.22",
    ),
    Situation(
        name="a node of Unified CM has another address",
        plant=lambda cloud: move(cloud, "cucm-2", "10.0.10.77"),
        says="cucm-2",
    ),
    Situation(
        name="Expressway-E was built anew elsewhere, with an open rule",
        plant=rebuilt,
        says="edge-1",
    ),
    Situation(
        name="Expressway-E was built anew elsewhere, without our tags",
        plant=rebuilt_untagged,
    ),
    Situation(
        name="Expressway-C is gone",
        plant=lambda cloud: leave(cloud, "core-1"),
        verdict=Verdict.INCOMPLETE,
    ),
    Situation(
        name="all machines are gone",
        plant=lambda cloud: cloud.instances.clear(),
        verdict=Verdict.INCOMPLETE,
    ),
    Situation(
        name="a stranger wears the tag that the world gets in by",
        plant=lambda cloud: stranger(cloud, "expressway-e-external", "dmz-net"),
        says="lets the whole internet in",
    ),
)


# Peers that no list which was read has.


def host(cloud: GoogleCloud, *users: str) -> None:
    cloud.hosts[PROJECT] = list(users)


def other_machine(
    cloud: GoogleCloud, project: str, *, tag: str = "", network: str = "inside-net"
) -> None:
    """A machine of another project in a network of ours."""
    made = GoogleCloud()
    made.add_instance("web-1", (network, "10.0.10.201", None), tags=[tag] if tag else [])
    row = copy.deepcopy(made.instances["web-1"])
    row["id"] = f"7{abs(hash(project)) % 10**6}"
    account = f"web@{project}.iam.gserviceaccount.com"
    row["serviceAccounts"] = [{"email": account}]
    cloud.others.setdefault(project, {})["web-1"] = row


def from_tag(cloud: GoogleCloud, tag: str = "theirs", **own: Any) -> None:
    rule = {"priority": 500, "allowed": TCP, "sourceTags": [tag], **own}
    cloud.add_firewall("from-tag", "inside-net", **rule)


def from_account(cloud: GoogleCloud, project: str) -> None:
    accounts = [f"web@{project}.iam.gserviceaccount.com"]
    own = {"priority": 500, "allowed": TCP, "sourceServiceAccounts": accounts}
    cloud.add_firewall("from-account", "inside-net", **own)


def of_a_project_that_was_read(cloud: GoogleCloud) -> None:
    host(cloud, "web-prod")
    other_machine(cloud, "web-prod", tag="theirs")
    from_tag(cloud)


def account_of_a_project_that_was_read(cloud: GoogleCloud) -> None:
    host(cloud, "web-prod")
    other_machine(cloud, "web-prod")
    from_account(cloud, "web-prod")


def of_a_project_that_was_not_read(cloud: GoogleCloud) -> None:
    host(cloud, "web-prod", "hidden")
    other_machine(cloud, "web-prod")
    from_tag(cloud)


def account_of_a_project_that_was_not_read(cloud: GoogleCloud) -> None:
    host(cloud, "hidden")
    from_account(cloud, "hidden")


def deny_from_a_project_that_was_not_read(cloud: GoogleCloud) -> None:
    host(cloud, "hidden")
    cloud.add_firewall("deny", "inside-net", priority=1, denied=TCP, sourceTags=["theirs"])


def of_ours_with_our_tag(cloud: GoogleCloud) -> None:
    """A machine of another project wears our tag: it is found where it is."""
    host(cloud, "web-prod")
    tag = "fb-gcp-edge-expressway-e-external"
    other_machine(cloud, "web-prod", tag=tag, network="dmz-net")


def hierarchy(cloud: GoogleCloud, **own: Any) -> None:
    match = {"srcIpRanges": ["0.0.0.0/0"], "layer4Configs": [{"ipProtocol": "tcp"}]}
    rule = {
        "priority": 10,
        "action": "allow",
        "direction": "INGRESS",
        **own,
        "match": {**match, **own.get("match", {})},
    }
    policy = {"name": "111222333", "displayName": "org-policy", "type": "HIERARCHY"}
    cloud.hierarchical.append({**policy, "rules": [rule]})


PEERS: tuple[Situation[GoogleCloud], ...] = (
    Situation(
        name="a tag of a project that was read", plant=of_a_project_that_was_read, says="from-tag"
    ),
    Situation(
        name="an account of a project that was read",
        plant=account_of_a_project_that_was_read,
        says="from-account",
    ),
    Situation(
        name="a tag, and a project that was not read",
        plant=of_a_project_that_was_not_read,
        says="theirs in other projects",
    ),
    Situation(
        name="an account of a project that was not read",
        plant=account_of_a_project_that_was_not_read,
        says="cannot be told",
    ),
    Situation(
        name="a deny for a tag, and a project that was not read",
        plant=deny_from_a_project_that_was_not_read,
        says="cannot be told",
    ),
    Situation(
        name="a machine of another project wears our tag",
        plant=of_ours_with_our_tag,
        says="web-prod/web-1",
    ),
    Situation(
        name="a policy of the organisation for countries",
        plant=lambda cloud: hierarchy(cloud, match={"srcRegionCodes": ["US"]}),
        says="US",
    ),
    Situation(
        name="a policy of the organisation for an address group",
        plant=lambda cloud: hierarchy(cloud, match={"srcAddressGroups": ["g"]}),
        says="cannot be told",
    ),
    Situation(
        name="a policy of the organisation for a host name",
        plant=lambda cloud: hierarchy(cloud, match={"srcFqdns": ["example.com"]}),
        says="example.com",
    ),
    Situation(
        name="a policy of the organisation for a kind of network",
        plant=lambda cloud: hierarchy(cloud, action="deny", match={"srcNetworkType": "INTERNET"}),
        says="srcNetworkType",
    ),
    Situation(
        name="a policy of the organisation with another protocol",
        plant=lambda cloud: hierarchy(cloud, match={"layer4Configs": [{"ipProtocol": "frob"}]}),
        says="frob",
    ),
    Situation(
        name="a policy of the organisation with another action",
        plant=lambda cloud: hierarchy(cloud, action="perhaps"),
        says="perhaps",
    ),
    Situation(
        name="a policy of the organisation with a security profile",
        plant=lambda cloud: hierarchy(cloud, action="apply_security_profile_group"),
        says="security profile",
    ),
)


@pytest.mark.parametrize("situation", parameters((*MEMBERS, *PEERS)))
def test_planted_harm_is_no_clean_word(situation: Situation[GoogleCloud]) -> None:
    cloud = deployed()
    situation.plant(cloud)
    check(audited(cloud), situation)


def tag_of_nobody(cloud: GoogleCloud) -> None:
    from_tag(cloud, "nobody")


def tag_of_nobody_in_every_project(cloud: GoogleCloud) -> None:
    host(cloud, "web-prod")
    other_machine(cloud, "web-prod")
    from_tag(cloud, "nobody")


def for_machines_of_others(cloud: GoogleCloud) -> None:
    """Who may send there cannot be told, and it is no machine of ours."""
    host(cloud, "hidden")
    from_tag(cloud, targetTags=["printer"])


def odd_and_disabled(cloud: GoogleCloud) -> None:
    odd(cloud, "dmz-net", {**ODD["a protocol that is none"], "disabled": True})


def odd_elsewhere(cloud: GoogleCloud) -> None:
    odd(cloud, "default", ODD["a protocol that is none"])


HARMLESS: tuple[Situation[GoogleCloud], ...] = (
    Situation(name="a tag of nobody", plant=tag_of_nobody),
    Situation(name="a tag of nobody in every project", plant=tag_of_nobody_in_every_project),
    Situation(name="an unknown source for machines of others", plant=for_machines_of_others),
    Situation(name="an odd rule that is off", plant=odd_and_disabled),
    Situation(name="an odd rule of another network", plant=odd_elsewhere),
    Situation(name="a project that shares its network", plant=lambda cloud: host(cloud, "hidden")),
)


@pytest.mark.parametrize("situation", parameters(HARMLESS))
def test_planted_no_harm_is_clean(situation: Situation[GoogleCloud]) -> None:
    cloud = deployed()
    situation.plant(cloud)
    found = audited(cloud)
    assert (found.verdict, found.unread) == (Verdict.CLEAN, ()), told(found)


# A network that a host project shares.


def shared() -> GoogleCloud:
    """The example in the networks of a host project."""
    cloud = deployed()
    cloud.firewalls.clear()
    apply_terraform(cloud, planned(SHARED))
    for row in cloud.instances.values():
        for nic in row["networkInterfaces"]:
            nic["network"] = nic["network"].replace(f"projects/{PROJECT}/", f"projects/{HOST}/")
    cloud.hosts[HOST] = [PROJECT, "web-prod"]
    cloud.others.setdefault("web-prod", {})
    return cloud


def of_host(row: Json) -> None:
    for nic in row["networkInterfaces"]:
        nic["network"] = nic["network"].replace(f"projects/{PROJECT}/", f"projects/{HOST}/")


def test_planted_shared_network_just_made_is_clean() -> None:
    found = audited(shared(), SHARED)
    assert (found.verdict, found.unread) == (Verdict.CLEAN, ()), told(found)


def test_planted_source_tag_of_another_project_is_read() -> None:
    cloud = shared()
    other_machine(cloud, "web-prod", tag="theirs")
    of_host(cloud.others["web-prod"]["web-1"])
    from_tag(cloud)
    found = audited(cloud, SHARED)
    assert (found.verdict, found.untold) == (Verdict.DRIFT, ())
    assert "10.0.10.201" in " ".join(str(each.packets.example()) for each in found.opened)


@pytest.mark.parametrize(
    "path", ["/projects/host-prod", "getXpnResources", "/web-prod/aggregated/instances"]
)
def test_planted_source_tag_of_a_project_that_refuses_cannot_be_told(path: str) -> None:
    cloud = shared()
    from_tag(cloud)

    def refusing(asked: str) -> None:
        if asked.endswith(path):
            raise Refusal(403, "forbidden", "not here")

    cloud.fault = refusing
    found = audited(cloud, SHARED)
    assert (found.verdict, found.unread) == (Verdict.DRIFT, ())
    [each] = found.untold
    assert (each.rule and each.rule.id, each.standing) == ("from-tag", Standing.FINDING)
    assert "could not be read" in " ".join(found.notes)


def test_a_project_that_could_not_be_seen_is_told_before_an_apply() -> None:
    cloud, built, reader = shared(), example(SHARED), reader_for("gcp")

    def refusing(asked: str) -> None:
        if asked.endswith("/web-prod/aggregated/instances"):
            raise Refusal(403, "forbidden", "not here")

    for told_of in (0, 1):
        if told_of:
            cloud.fault = refusing
        with serving(cloud) as url:
            site = built.resolution.site
            answers = reader.fetch(site, Access(endpoint_url=url), asides=True)
        found = reader.preflight(answers, built.policy, site, planned(SHARED)).findings
        said = [each.message for each in found if each.id == "gcp/live-unseen"]
        assert len(said) == told_of
        assert all("project web-prod" in each for each in said)


# Secure tags.


def policy_rule(cloud: GoogleCloud, tag: str, network: str = "inside-net") -> None:
    policy = next(
        policy
        for policy in cloud.policies.values()
        if policy["associations"][0]["attachmentTarget"].endswith(network)
    )
    rule = {
        "priority": 6,
        "action": "allow",
        "direction": "INGRESS",
        "ruleName": "by-hand",
        "match": {
            "srcSecureTags": [{"name": tag, "state": "EFFECTIVE"}],
            "layer4Configs": [{"ipProtocol": "tcp", "ports": ["22"]}],
        },
    }
    policy["rules"].insert(0, rule)


def test_planted_secure_tag_of_nobody_is_nobody() -> None:
    cloud = deployed(POLICIES)
    policy_rule(cloud, "tagValues/777")
    assert audited(cloud, POLICIES).verdict is Verdict.CLEAN


def test_planted_secure_tag_of_a_machine_is_its_address() -> None:
    cloud = deployed(POLICIES)
    policy_rule(cloud, "tagValues/777")
    cloud.secure_tags["printer"] = ["tagValues/777"]
    found = audited(cloud, POLICIES)
    assert (found.verdict, found.untold) == (Verdict.DRIFT, ())
    assert "10.0.10.99" in " ".join(str(each.packets.example()) for each in found.opened)


def test_planted_secure_tag_over_a_peering_cannot_be_told() -> None:
    cloud = deployed(POLICIES)
    cloud.networks["inside-net"]["peerings"] = [
        {"name": "p", "state": "ACTIVE", "network": f"{ROOT}/global/networks/theirs"}
    ]
    policy_rule(cloud, "tagValues/777")
    found = audited(cloud, POLICIES)
    assert found.verdict is Verdict.DRIFT
    assert "tagValues/777 in other projects and networks cannot be told" in told(found)


def test_planted_secure_tag_of_a_project_that_refuses_cannot_be_told() -> None:
    cloud = deployed(POLICIES)
    host(cloud, "hidden")
    policy_rule(cloud, "tagValues/777")
    found = audited(cloud, POLICIES)
    assert found.verdict is Verdict.DRIFT
    assert "cannot be told" in told(found)
