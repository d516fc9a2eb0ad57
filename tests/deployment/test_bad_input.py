"""Bad input ends in problems that name the line, the key, and what to write instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.deployment.read import resolve_file
from tests.deployment.files import DUAL, SINGLE, Data, problems, setting
from tests.deployment.test_contract import CONTRACT

PEER = DUAL["expressway_e"]["peers"][0]
E, C = "expressway_e__peers__0__", "expressway_c__peers__0__"

# What is changed, the key that has to be named, and words that have to stand in the message.
CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown key": ({"servces": []}, "servces", "did you mean 'services'?"),
    "unknown option": ({"options__sip_upd": True}, "options.sip_upd", "did you mean 'sip_udp'?"),
    "wrong type": (
        {"options__traversal_zones": "one"},
        "options.traversal_zones",
        "write a whole number",
    ),
    "text for a list": ({"services": "mra"}, "services", "write a list"),
    "number for a name": ({"name": 12}, "name", "write text"),
    "number for an address": ({f"{C}address": 5}, "expressway_c.peers[0].address", "10.0.1.11"),
    "a switch in quotes": ({"options__sip_udp": "no"}, "options.sip_udp", "write true or false"),
    "a number as a switch": ({"options__sip_udp": 1}, "options.sip_udp", "write true or false"),
    "a switch as a number": (
        {"options__traversal_zones": True},
        "options.traversal_zones",
        "true: write a whole number",
    ),
    "a number in quotes": (
        {"options__admin__https_port": "0443"},
        "options.admin.https_port",
        "write a whole number",
    ),
    "size that is none": ({"size": "larg"}, "size", "did you mean 'large'?"),
    "release that is none": ({"release": "15.0"}, "release", "like X15.0"),
    "port 70000": ({"options__turn__port": 70000}, "options.turn.port", "0 to 65535"),
    "HTTPS port 70000": (
        {"options__admin__https_port": 70000},
        "options.admin.https_port",
        "at most 65535",
    ),
    "media below the range": (
        {"options__media_ports": "35000-36200"},
        "options.media_ports",
        "not inside 36000-59999",
    ),
    "media above the range": (
        {"options__media_ports": "50000-60001"},
        "options.media_ports",
        "not inside 36000-59999",
    ),
    "media from an odd port": (
        {"options__media_ports": "36001-36999"},
        "options.media_ports",
        "write 36002-36999",
    ),
    "media to an even port": (
        {"options__media_ports": "36000-36998"},
        "options.media_ports",
        "write 36000-36997",
    ),
    "media of one parity": (
        {"options__media_ports": "36000-36999 even"},
        "options.media_ports",
        "without even",
    ),
    "media too small for a large system": (
        {"options__media_ports": "40000-40009"},
        "options.media_ports",
        "write at least 40000-40011",
    ),
    "pair on a large system": (
        {"options__multiplexed_media": "2778-2779"},
        "options.multiplexed_media",
        "36000-36011",
    ),
    "pair of one": (
        {"size": "small", "options__multiplexed_media": 2776},
        "options.multiplexed_media",
        "the even one first",
    ),
    "pair that starts odd": (
        {"size": "medium", "options__multiplexed_media": "2777-2778"},
        "options.multiplexed_media",
        "the even one first",
    ),
    "pair below 1024": (
        {"size": "medium", "options__multiplexed_media": "22-23"},
        "options.multiplexed_media",
        "from 1024 on",
    ),
    "TURN on 443 on a large system": (
        {"options__turn__port": 443},
        "options.turn.port",
        "from 1024 on",
    ),
    "TURN on 80": (
        {"size": "small", "options__turn__port": 80},
        "options.turn.port",
        "443 or a port from 1024 on",
    ),
    "six TURN ports on a medium system": (
        {"size": "medium", "options__turn__port": "3478-3483"},
        "options.turn.port",
        "one port here; write 3478",
    ),
    "five TURN ports on a large system": (
        {"options__turn__port": "3478-3482"},
        "options.turn.port",
        "write 3478 (or 3478-3483)",
    ),
    "TURN beyond the last port": (
        {"options__turn__port": 65535},
        "options.turn.port",
        "up to 65530",
    ),
    "SSH 5022 on an appliance": (
        {"platform": "appliance", "options__admin__ssh_port": 5022},
        "options.admin.ssh_port",
        "port 22",
    ),
    "a port of what has none": (
        {
            "tests": [
                {
                    "from": "internet",
                    "to": "expressway-e",
                    "protocol": "ah",
                    "ports": 5,
                    "expect": "denied",
                }
            ]
        },
        "tests[0].ports",
        "ah has no ports; leave them out",
    ),
    "SSH 22 in quotes": (
        {"options__admin__ssh_port": "22"},
        "options.admin.ssh_port",
        "write 22, without quotes",
    ),
    "an IPv4 address as IPv6": (
        {"systems__imp": {"addresses": "::ffff:10.20.0.31"}},
        "systems.imp.addresses",
        "write 10.20.0.31",
    ),
    "an IPv4 range as IPv6": (
        {"systems__imp": {"addresses": "::ffff:10.20.0.0/120"}},
        "systems.imp.addresses",
        "write 10.20.0.0/24",
    ),
    "a loopback address": (
        {"systems__imp": {"addresses": "127.0.0.1"}},
        "systems.imp.addresses",
        "write the one by which others reach it",
    ),
    "a region that Terraform would evaluate": (
        {"region": '${file("x")}'},
        "region",
        "like eu-west-1",
    ),
    "a tag that Terraform would evaluate": (
        {"provider": {"default_tags": {"owner": '${file("x")}'}}},
        "provider.default_tags.owner",
        "'${' begins an expression",
    ),
    "a key that Terraform would evaluate": (
        {"provider": {"default_tags": {'%{ if file("x") == "y" }': "z"}}},
        'provider.default_tags.%{ if file("x") == "y" }',
        "'%{' begins an expression",
    ),
    "an id that Terraform would evaluate": (
        {
            "systems__imp": {
                "addresses": "10.20.0.31",
                "fqdns": ["a.example", 'b${file("x")}.example'],
            }
        },
        "systems.imp.fqdns[1]",
        "'${' begins an expression",
    ),
    "a tag that the engine would resolve": (
        {"provider": {"default_tags": {"owner": "#{TfToken[TOKEN.0]}"}}},
        "provider.default_tags.owner",
        "'TfToken[' begins an expression",
    ),
    "a region of blanks": ({"region": "  "}, "region", "like eu-west-1"),
    "a subnet with a line end": (
        {"network__tiers__dmz__subnets": ["subnet-0aa\n"]},
        "network.tiers.dmz.subnets[0]",
        "write one like subnet-",
    ),
    "a provider version that takes an hour to refuse": (
        {"provider": {"version": " " * 400_000 + "x"}},
        "provider.version",
        "a version constraint",
    ),
    "a provider version that is none": (
        {"provider": {"version": "banana"}},
        "provider.version",
        "such as ~> 6.0",
    ),
    "SSH 23": ({"options__admin__ssh_port": 23}, "options.admin.ssh_port", "22 or 5022"),
    "overlapping tiers": (
        {"network__tiers__internal__cidrs": ["10.0.0.0/16"]},
        "network.tiers.internal.cidrs",
        "overlaps 10.0.1.0/24 of the tier 'dmz'",
    ),
    "a subnet in two tiers": (
        {
            "network__tiers__dmz__subnets": ["subnet-0aa"],
            "network__tiers__internal__subnets": ["subnet-0ba", "subnet-0aa"],
        },
        "network.tiers.internal.subnets[1]",
        "of the tier 'dmz' already",
    ),
    "CIDRs that overlap in one tier": (
        {"network__tiers__internal__cidrs": ["10.0.10.0/24", "10.0.10.128/25"]},
        "network.tiers.internal.cidrs[1]",
        "overlaps 10.0.10.0/24",
    ),
    "overlapping IPv6 tiers": (
        {
            "network__tiers__dmz__cidrs": ["10.0.1.0/24", "10.0.2.0/24", "2001:db8::/56"],
            "network__tiers__internal__cidrs": ["10.0.10.0/24", "2001:db8:0:1::/64"],
        },
        "network.tiers.internal.cidrs[1]",
        "overlaps 2001:db8::/56",
    ),
    "host bits": (
        {"network__tiers__internal__cidrs": ["10.0.10.5/24"]},
        "network.tiers.internal.cidrs[0]",
        "write 10.0.10.0/24, or 10.0.10.5",
    ),
    "no address": (
        {f"{C}address": "10.0.10.300"},
        "expressway_c.peers[0].address",
        "is not an IP address or CIDR",
    ),
    "public address as external": (
        {f"{E}external": "203.0.113.99"},
        "expressway_e.peers[0].external",
        "is a public address",
    ),
    "public address of Expressway-C as its own": (
        {f"{C}address": "198.51.100.9"},
        "expressway_c.peers[0].address",
        "is a public address",
    ),
    "public tier": (
        {"network__tiers__internal__cidrs": ["10.0.10.0/24", "198.51.100.0/24"]},
        "network.tiers.internal.cidrs[1]",
        "network.public_cidrs: true",
    ),
    "private address as public": (
        {f"{E}public": "10.0.1.11"},
        "expressway_e.peers[0].public",
        "is a private address",
    ),
    "shared address space as public": (
        {f"{E}public": "100.64.0.7"},
        "expressway_e.peers[0].public",
        "is a private address",
    ),
    "private NAT address": (
        {"network__tiers__internal__nat": ["10.0.1.200"]},
        "network.tiers.internal.nat",
        "is a private address",
    ),
    "loopback": (
        {f"{C}address": "127.0.0.1"},
        "expressway_c.peers[0].address",
        "no address of a host",
    ),
    "address outside its tier": (
        {f"{E}internal": "10.0.3.11"},
        "expressway_e.peers[0].internal",
        "outside the tier 'dmz'",
    ),
    "system outside its tier": (
        {"systems__cucm__addresses": ["10.0.10.21", "10.0.11.22"]},
        "systems.cucm.addresses[1]",
        "outside the tier 'internal'",
    ),
    "IPv6 address outside its tier": (
        {f"{C}address": ["10.0.10.11", "2001:db8::11"]},
        "expressway_c.peers[0].address[1]",
        "outside the tier 'internal'",
    ),
    "range as a peer's address": (
        {f"{C}address": "10.0.10.0/28"},
        "expressway_c.peers[0].address",
        "write the peer's one address",
    ),
    "duplicate peer": (
        {"expressway_e__peers": [PEER, PEER]},
        "expressway_e.peers[1].external",
        "of another peer already (expressway_e.peers[0].external)",
    ),
    "duplicate public address": (
        {
            "expressway_e__peers": [
                PEER,
                {"external": "10.0.1.12", "internal": "10.0.2.12", "public": PEER["public"]},
            ]
        },
        "expressway_e.peers[1].public",
        "already",
    ),
    "address of two workloads": (
        {"systems__cucm__addresses": ["10.0.10.11"]},
        "systems.cucm.addresses",
        "of expressway-c/single already",
    ),
    "external and internal the same": (
        {f"{E}internal": "10.0.1.11"},
        "expressway_e.peers[0].internal",
        "of expressway-e/external already",
    ),
    "public address of one peer only": (
        {"expressway_e__peers": [PEER, {"external": "10.0.1.12", "internal": "10.0.2.12"}]},
        "expressway_e.peers[1]",
        "add this peer's",
    ),
    "static NAT without a public address": (
        {"expressway_e__static_nat": True, f"{E}public": None},
        "expressway_e.peers[0]",
        "`public`",
    ),
    "dual NIC without internal": (
        {f"{E}internal": None},
        "expressway_e.peers[0]",
        "add `internal`",
    ),
    "dual NIC with one address": (
        {f"{E}address": "10.0.1.12"},
        "expressway_e.peers[0].address",
        "`external` and `internal`",
    ),
    "single NIC without address": (
        {"expressway_e__nics": "single", f"{E}external": None, f"{E}internal": None},
        "expressway_e.peers[0]",
        "one `address`",
    ),
    "inner tier of one card": (
        {"expressway_e": {**SINGLE["expressway_e"], "internal_tier": "dmz"}},
        "expressway_e.internal_tier",
        "one card has no inner tier",
    ),
    "no peers": ({"expressway_c__peers": []}, "expressway_c.peers", "at least 1 entry"),
    "seven peers": (
        {"expressway_c__peers": [{"address": f"10.0.10.{n}"} for n in range(31, 38)]},
        "expressway_c.peers",
        "at most 6 entries",
    ),
    "unknown service": ({"services": ["traversal-pair", "sip-call"]}, "services[1]", "'sip-calls'"),
    "unknown system": ({"systems__cucn": {"addresses": ["10.1.1.1"]}}, "systems.cucn", "'cucm'"),
    "non-ASCII name": ({"name": "kanto-エッジ"}, "name", "letters a-z"),
    "non-ASCII system": (
        {"systems__ｃｕｃｍ": {"addresses": ["10.1.1.1"]}},
        "systems.ｃｕｃｍ",
        "",
    ),
    "non-ASCII tier": (
        {"network__tiers__dmß": {"cidrs": ["10.0.77.0/24"]}},
        "network.tiers.dmß",
        "letters a-z",
    ),
    "unknown tier": ({"expressway_c__tier": "intern"}, "expressway_c.tier", "'internal'"),
    "cluster words as a system": (
        {"systems__this-peer": {"addresses": ["10.1.1.1"]}},
        "systems.this-peer",
        "name no system",
    ),
    "Expressway described twice": (
        {"systems__expressway-c": {"addresses": ["10.1.1.1"]}},
        "systems.expressway-c",
        "described under expressway_c already",
    ),
    "the internet in a tier": (
        {"systems__any": {"tier": "internal", "addresses": ["10.0.10.99"]}},
        "systems.any.tier",
        "no tier holds",
    ),
    "port of something unknown": (
        {"options__ports": {"smart-prox": 3128}},
        "options.ports.smart-prox",
        "'smart-proxy'",
    ),
    "port that has its own option": (
        {"options__ports": {"media": "40000-41999"}},
        "options.ports.media",
        "options.media_ports",
    ),
    "assertion about nobody": (
        {
            "tests": [
                {"from": "interne", "to": "cucm", "protocol": "tcp", "ports": 1, "expect": "denied"}
            ]
        },
        "tests[0].from",
        "did you mean 'internet'?",
    ),
    "assertion about an absent system": (
        {
            "tests": [
                {"from": "tms", "to": "cucm", "protocol": "tcp", "ports": 1, "expect": "denied"}
            ]
        },
        "tests[0].from",
        "add systems.tms.addresses",
    ),
    "management from anywhere": (
        {"systems__admin-pc__addresses": ["0.0.0.0/0"]},
        "systems.admin-pc.addresses",
        "options.admin.allow_from_anywhere",
    ),
    "management from anywhere in IPv6": (
        {"systems__admin-pc__addresses": ["10.9.0.0/24", "::/0"]},
        "systems.admin-pc.addresses",
        "options.admin.allow_from_anywhere",
    ),
    "management from two halves of the internet": (
        {"systems__tms": {"addresses": ["0.0.0.0/1", "128.0.0.0/1"]}},
        "systems.tms.addresses",
        "options.admin.allow_from_anywhere",
    ),
    "management from a /8": (
        {"systems__snmp-manager": {"addresses": ["8.0.0.0/8"]}},
        "systems.snmp-manager.addresses",
        "options.admin.allow_from_anywhere",
    ),
    "a reason that is none": (
        {
            "systems__admin-pc__addresses": ["0.0.0.0/0"],
            "options__admin__allow_from_anywhere": "yes",
        },
        "options.admin.allow_from_anywhere",
        "at least 20 characters",
    ),
    "a zone of an IPv6 address": (
        {"systems__dns__addresses": ["fd00::1%eth0"]},
        "systems.dns.addresses[0]",
        "leave out what follows the %",
    ),
    "capitals": ({"services": ["MRA"]}, "services[0]", "did you mean 'mra'?"),
    "a tier in capitals": (
        {"expressway_c__tier": "INTERNAL"},
        "expressway_c.tier",
        "did you mean 'internal'?",
    ),
    "a directory by another name": (
        {"systems__ad": {"addresses": ["10.0.10.9"]}},
        "systems.ad",
        "did you mean 'ldap'?",
    ),
    "Unified CM by an older name": (
        {"systems__callmanager": {"addresses": ["10.0.10.9"]}},
        "systems.callmanager",
        "did you mean 'cucm'?",
    ),
    "a list without brackets": (
        {"systems__dns": {"addresses": "10.0.10.2", "10.0.10.3": None}},
        "systems.dns.10.0.10.3",
        "a list stands in brackets",
    ),
    "an empty key nobody knows": (
        {"systems__dns": {"addresses": "10.0.10.2", "zone": None}},
        "systems.dns.zone",
        "known keys",
    ),
    "MRA alone": ({"services": ["mra"]}, "services[0]", "add traversal-pair"),
    "pair without Expressway-E": ({"expressway_e": None}, "services[0]", "needs an expressway-e"),
    "pair without Expressway-C": ({"expressway_c": None}, "services[0]", "needs an expressway-c"),
    "calls without an Expressway": (
        {"services": ["sip-calls"], "expressway_c": None, "expressway_e": None},
        "services[0]",
        "needs an Expressway",
    ),
    "groups times rules": (
        {"quotas": {"rules_per_security_group": 200, "security_groups_per_interface": 6}},
        "quotas",
        "1000",
    ),
    "card ids that do not pair up": (
        {"systems__cucm__eni": ["eni-0aa", "eni-0ab", "eni-0ac"]},
        "systems.cucm.eni",
        "one `eni` for each address",
    ),
    "card of a system elsewhere": (
        {"systems__imp__eni": ["eni-0aa"]},
        "systems.imp.eni",
        "no tier",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_refused(case: str) -> None:
    changes, key, words = CASES[case]
    found = problems(setting(DUAL, **changes))
    matching = [problem for problem in found if problem.key == key and words in problem.message]
    assert matching, [str(problem) for problem in found]
    assert matching[0].file == "site.yaml"
    assert matching[0].line is not None


@pytest.mark.parametrize("base", [DUAL, SINGLE], ids=["dual", "single"])
def test_the_bases_are_right(base: Data) -> None:
    assert problems(base) == ()


def test_a_reason_in_words_opens_management() -> None:
    data = setting(
        DUAL,
        **{
            "systems__admin-pc__addresses": ["0.0.0.0/0"],
            "options__admin__allow_from_anywhere": "A lab without data, open for one week.",
        },
    )
    assert problems(data) == ()


def test_public_cidrs_may_be_private_ones_when_said() -> None:
    data = setting(
        DUAL,
        network__public_cidrs=True,
        network__tiers__internal__cidrs=["198.51.100.0/24"],
        expressway_c__peers=[{"address": "198.51.100.11"}],
        systems__cucm__addresses=["198.51.100.21"],
    )
    assert problems(data) == ()


def test_all_problems_at_once_with_their_lines(tmp_path: Path) -> None:
    text = CONTRACT.replace("size: large  ", "sizes: large ").replace(
        "media_ports: 36000-59999", "media_ports: 35000-36200"
    )
    text = text.replace("external: 10.0.1.11", "external: 10.7.1.11").replace(
        "sip-calls", "sipcalls"
    )
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadFileError) as caught:
        resolve_file(path)
    found = {(problem.key, problem.line) for problem in caught.value.problems}
    lines = text.splitlines()
    assert found == {
        (key, next(n for n, line in enumerate(lines, 1) if mark in line))
        for key, mark in {
            "sizes": "sizes:",
            "options.media_ports": "media_ports:",
            "expressway_e.peers[0].external": "external: 10.7.1.11",
            "services[1]": "services:",
        }.items()
    }
    assert str(caught.value).splitlines()[0].startswith(f"{path}:")


def test_a_faulty_key_raises_no_second_fault(tmp_path: Path) -> None:
    """A misspelt `internal` is one mistake, not also a missing card."""
    path = tmp_path / "site.yaml"
    path.write_text(CONTRACT.replace("internal: 10.0.2.11", "intrenal: 10.0.2.11"))
    with pytest.raises(BadFileError) as caught:
        resolve_file(path)
    assert [problem.key for problem in caught.value.problems] == ["expressway_e.peers[0].intrenal"]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty"),
    "comments only": (b"# nothing\n", "the file is empty"),
    "ten megabytes": (b"#" * 10_000_000, "10,000,000 bytes"),
    "alias bomb": (BOMB.encode(), "aliases expand"),
    "alias of itself": (b"a: &a [*a]", "nested more than"),
    "deep brackets": (b"[" * 900_000, "nested more than"),
    "deep dashes": (b"- " * 400_000, "nested more than"),
    "no YAML": (b"{{{", "this is not YAML"),
    "a tab": (b"name:\n\t- x", "this is not YAML"),
    "two documents": (b"--- a\n--- b", "this is not YAML"),
    "no text": (b"\xff\xfe\x00", "not UTF-8"),
    "a list": (b"- a\n- b", "write keys and values"),
    "one word": (b"deployment", "write keys and values"),
    "a Python object": (b"name: !!python/object:os.system x", "cannot be read"),
    "a false date": (b"name: !!timestamp x", "cannot be read"),
    "a number of 5000 digits": (b"name: " + b"9" * 5000, "cannot be read"),
    "a key twice": (b"name: a\nname: b", "stands twice (first on line 1)"),
    "a key that is a list": (b"? [a]\n: b", "a key must be plain text"),
    "merge keys": (b"x: &x {a: 1}\ny: {<<: *x}", "merge keys"),
}


@pytest.mark.parametrize("case", FILES)
def test_refused_file(case: str, tmp_path: Path) -> None:
    content, words = FILES[case]
    path = tmp_path / "site.yaml"
    path.write_bytes(content)
    with pytest.raises(BadFileError, match=words.replace("(", r"\(").replace(")", r"\)")):
        resolve_file(path)


def test_no_such_file_and_a_folder(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none.yaml", "no such file"), (tmp_path, "folder")):
        with pytest.raises(BadFileError, match=words):
            resolve_file(path)


@pytest.mark.parametrize(
    "key", ["", "..", "network.tiers.9", "expressway_e.peers.7.public", "name.x"]
)
def test_a_key_that_cannot_be_set(key: str, tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(CONTRACT)
    with pytest.raises(BadFileError):
        resolve_file(path, {key: "x"})


@pytest.mark.parametrize(
    ("key", "value", "blamed"),
    [
        ("size", "bad", "size"),
        ("nope", "1", "nope"),
        ("expressway_e.peers.0.public", "1.2.3", "expressway_e.peers[0].public"),
        ("expressway_e.peers[0].public", "1.2.3", "expressway_e.peers[0].public"),
        ("systems.foo.addresses", "10.1.1.1", "systems.foo"),
        ("services", "[mra", "services"),
        ("services", "[mra]", "services[0]"),
        ("name.x", "1", "name.x"),
        ("options..x", "1", "options..x"),
    ],
)
def test_a_fault_of_the_option_is_not_blamed_on_the_file(
    key: str, value: str, blamed: str, tmp_path: Path
) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(CONTRACT)
    with pytest.raises(BadFileError) as caught:
        resolve_file(path, {key: value})
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.key) == ("--set", None, blamed)


def test_what_a_set_key_does_to_the_rest_is_told_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(CONTRACT)
    with pytest.raises(BadFileError) as caught:
        resolve_file(path, {"expressway_e.nics": "single"})
    assert {problem.file for problem in caught.value.problems} == {str(path)}
    assert all(problem.line for problem in caught.value.problems)
