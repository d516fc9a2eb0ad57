"""The Azure reader: the real client over HTTP against a stand-in that keeps state.

Every harmful change behind Terraform's back is found, no harmless one is reported, and no fault
of the cloud ever looks like an empty or a clean estate.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Network
from flowbridge.policy.audit.audit import Audit, Verdict, audit
from flowbridge.policy.audit.estate import Cause, Departure
from flowbridge.providers.azure.live.answers import Place
from flowbridge.providers.azure.live.reader import READER
from flowbridge.providers.live.contract import Access
from flowbridge.stacks.pipeline import Built, build, judge, load
from tests.live import documented
from tests.live.azure.estates import DMZ, INTERNAL, deployed, empty, example, planned, read
from tests.live.azure.server import (
    GROUP,
    NETWORK,
    SUBSCRIPTION,
    AzureCloud,
    Fault,
    Json,
    Refusal,
    add_card,
    add_network,
    apply_terraform,
    serving,
    slow,
)
from tests.providers.one_deployment import Deployment

Tamper = Callable[[AzureCloud], object]


@pytest.fixture
def cloud() -> AzureCloud:
    return deployed()


@pytest.fixture
def url(cloud: AzureCloud) -> Iterator[str]:
    with serving(cloud) as found:
        yield found


def allow(cloud: AzureCloud, *, protocol: str = "Tcp", direction: str = "Inbound") -> Json:
    """An allow rule of ours in the DMZ with one range of ports."""
    return next(
        rule
        for rule in cloud.rules(DMZ)
        if (own := rule["properties"])["access"] == "Allow"
        and own["direction"] == direction
        and own["protocol"] == protocol
        and "-" in own.get("destinationPortRange", "")
    )


# Harmful changes.


def add_rule(cloud: AzureCloud) -> None:
    cloud.add_rule(DMZ, "temporary", priority=4050, destinationPortRange="22")


def add_rule_from_a_service_tag(cloud: AzureCloud) -> None:
    own = {"priority": 4050, "sourceAddressPrefix": "AzureCloud", "destinationPortRange": "443"}
    cloud.add_rule(DMZ, "from-azure", **own)


def add_rule_outbound(cloud: AzureCloud) -> None:
    cloud.add_rule(INTERNAL, "out", priority=4051, direction="Outbound", protocol="*")


def remove_rule(cloud: AzureCloud) -> None:
    cloud.rules(DMZ).remove(allow(cloud))


def remove_the_deny(cloud: AzureCloud) -> None:
    """What remains are the default rules, which let the whole virtual network in."""
    rules = cloud.rules(INTERNAL)
    rules.remove(next(rule for rule in rules if rule["name"] == "deny-all-inbound"))


def widen_by_a_port(cloud: AzureCloud) -> None:
    own = allow(cloud, protocol="Udp")["properties"]
    first, last = own["destinationPortRange"].split("-")
    own["destinationPortRange"] = f"{int(first) - 1}-{last}"


def narrow_by_a_port(cloud: AzureCloud) -> None:
    own = allow(cloud, protocol="Udp")["properties"]
    first, last = own["destinationPortRange"].split("-")
    own["destinationPortRange"] = f"{first}-{int(last) - 1}"


def widen_source_ports(cloud: AzureCloud) -> None:
    own = next(
        rule["properties"]
        for rule in cloud.rules(DMZ)
        if "-" in rule["properties"].get("sourcePortRange", "")
    )
    own["sourcePortRange"] = "*"


def change_source(cloud: AzureCloud) -> None:
    own = allow(cloud)["properties"]
    own.pop("sourceApplicationSecurityGroups", None)
    own["sourceAddressPrefixes"] = []
    own["sourceAddressPrefix"] = "198.51.100.0/24"


def turn_an_allow_into_a_deny(cloud: AzureCloud) -> None:
    allow(cloud)["properties"]["access"] = "Deny"


def deny_before_ours(cloud: AzureCloud) -> None:
    cloud.add_rule(DMZ, "block", priority=100, destinationPortRange="5061", access="Deny")


def allow_before_ours(cloud: AzureCloud) -> None:
    cloud.add_rule(DMZ, "first", priority=101, protocol="*")


def swap_group_in_a_rule(cloud: AzureCloud) -> None:
    own = next(
        rule["properties"]
        for rule in cloud.rules(DMZ)
        if rule["properties"].get("destinationApplicationSecurityGroups")
    )
    other = f"{NETWORK}/applicationSecurityGroups/flowbridge-azure-edge-cucm-single"
    own["destinationApplicationSecurityGroups"] = [{"id": other}]


def take_a_card_out_of_its_group(cloud: AzureCloud) -> None:
    [config] = cloud.card("edge-1-outer")["properties"]["ipConfigurations"]
    del config["properties"]["applicationSecurityGroups"]


def swap_the_group_of_a_card(cloud: AzureCloud) -> None:
    outer, inner = (cloud.card(f"edge-1-{side}")["properties"] for side in ("outer", "inner"))
    [one], [two] = outer["ipConfigurations"], inner["ipConfigurations"]
    groups = "applicationSecurityGroups"
    one["properties"][groups] = copy.deepcopy(two["properties"][groups])


def let_a_stranger_into_a_group(cloud: AzureCloud) -> None:
    """Rules that name the group of Expressway-C now let in a host that is not the deployment's."""
    [config] = cloud.card("printer")["properties"]["ipConfigurations"]
    group = f"{NETWORK}/applicationSecurityGroups/flowbridge-azure-edge-expressway-c-single"
    config["properties"]["applicationSecurityGroups"] = [{"id": group}]


def take_the_nsg_off_a_subnet(cloud: AzureCloud) -> None:
    cloud.attach("dmz-outer", None)


def move_another_nsg_to_a_subnet(cloud: AzureCloud) -> None:
    cloud.attach("dmz-inner", INTERNAL)


def delete_an_nsg(cloud: AzureCloud) -> None:
    cloud.attach("internal", None)
    del cloud.resources["networkSecurityGroups"][INTERNAL]


def put_an_nsg_on_a_card(cloud: AzureCloud) -> None:
    """It refuses what the subnet's lets through."""
    identity = f"{NETWORK}/networkSecurityGroups/nic-nsg"
    cloud.resources["networkSecurityGroups"]["nic-nsg"] = {
        "id": identity,
        "name": "nic-nsg",
        "location": "westeurope",
        "properties": {"securityRules": []},
    }
    cloud.card("edge-1-outer")["properties"]["networkSecurityGroup"] = {"id": identity}


def strip_nsg_tags(cloud: AzureCloud) -> None:
    cloud.nsg(DMZ)["tags"] = {}


def strip_group_tags(cloud: AzureCloud) -> None:
    name = "flowbridge-azure-edge-expressway-c-single"
    cloud.resources["applicationSecurityGroups"][name]["tags"] = {"owner": "somebody"}


def change_an_address(cloud: AzureCloud) -> None:
    [config] = cloud.card("core-1-nic")["properties"]["ipConfigurations"]
    config["properties"]["privateIPAddress"] = "10.0.10.12"


def admin_rule(cloud: AzureCloud, access: str, port: str) -> None:
    cloud.admin_rules.append(
        {
            "id": f"{NETWORK}/networkManagers/m/rules/{access.lower()}-{port}",
            "kind": "Custom",
            "properties": {
                "protocol": "Tcp",
                "sources": [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}],
                "destinations": [{"addressPrefix": "*", "addressPrefixType": "IPPrefix"}],
                "sourcePortRanges": ["0-65535"],
                "destinationPortRanges": [port],
                "access": access,
                "priority": 5,
                "direction": "Inbound",
            },
        }
    )


def collected(cloud: AzureCloud, collection: str) -> None:
    """The last admin rule is one of the name `rule` in this collection."""
    manager = f"{NETWORK}/networkManagers/m/securityAdminConfigurations/c"
    cloud.admin_rules[-1]["id"] = f"{manager}/ruleCollections/{collection}/rules/rule"


def deny_by_a_name_of_two_collections(cloud: AzureCloud) -> None:
    """Names of admin rules are unique in their collection alone."""
    admin_rule(cloud, "Deny", "5061")
    collected(cloud, "a")
    admin_rule(cloud, "Allow", "443")
    collected(cloud, "b")


def always_allow_from_a_network_group(cloud: AzureCloud) -> None:
    admin_rule(cloud, "AlwaysAllow", "22")
    group = {"addressPrefix": f"{NETWORK}/networkGroups/g", "addressPrefixType": "NetworkGroup"}
    cloud.admin_rules[-1]["properties"]["sources"] = [group]


def always_allow_by_an_admin_rule(cloud: AzureCloud) -> None:
    admin_rule(cloud, "AlwaysAllow", "22")


def deny_by_an_admin_rule(cloud: AzureCloud) -> None:
    admin_rule(cloud, "Deny", "5061")


HARMFUL: tuple[Tamper, ...] = (
    add_rule,
    add_rule_from_a_service_tag,
    add_rule_outbound,
    remove_rule,
    remove_the_deny,
    widen_by_a_port,
    narrow_by_a_port,
    widen_source_ports,
    change_source,
    turn_an_allow_into_a_deny,
    deny_before_ours,
    allow_before_ours,
    swap_group_in_a_rule,
    take_a_card_out_of_its_group,
    swap_the_group_of_a_card,
    let_a_stranger_into_a_group,
    take_the_nsg_off_a_subnet,
    move_another_nsg_to_a_subnet,
    delete_an_nsg,
    put_an_nsg_on_a_card,
    strip_nsg_tags,
    strip_group_tags,
    change_an_address,
    always_allow_by_an_admin_rule,
    deny_by_an_admin_rule,
    deny_by_a_name_of_two_collections,
    always_allow_from_a_network_group,
)


# Harmless changes.


def split_a_rule(cloud: AzureCloud) -> None:
    rule = allow(cloud, protocol="Udp")
    first, last = map(int, rule["properties"]["destinationPortRange"].split("-"))
    other = copy.deepcopy(rule)
    other["name"] = f"{rule['name'][:70]}-2"
    other["properties"]["priority"] = 2998
    rule["properties"]["destinationPortRange"] = f"{first}-{first}"
    other["properties"]["destinationPortRange"] = f"{first + 1}-{last}"
    cloud.rules(DMZ).append(other)


def split_a_source(cloud: AzureCloud) -> None:
    own = next(
        rule["properties"]
        for rule in cloud.rules(DMZ)
        if rule["properties"].get("sourceAddressPrefix") == "0.0.0.0/0"
    )
    del own["sourceAddressPrefix"]
    own["sourceAddressPrefixes"] = ["0.0.0.0/1", "128.0.0.0/1"]


def move_a_priority(cloud: AzureCloud) -> None:
    # Ahead of what denies the inside, as it was.
    allow(cloud)["properties"]["priority"] = 2999


def repeat_within(cloud: AzureCloud) -> None:
    again = copy.deepcopy(allow(cloud))
    again["name"] = "again"
    again["properties"] |= {"priority": 4043, "description": ""}
    cloud.rules(DMZ).append(again)


def deny_what_is_denied(cloud: AzureCloud) -> None:
    own = {"priority": 4044, "destinationPortRange": "3389", "access": "Deny"}
    cloud.add_rule(INTERNAL, "no-rdp", **own)


def spell_capitals_otherwise(cloud: AzureCloud) -> None:
    subnet = cloud.subnet("dmz-outer")["properties"]["networkSecurityGroup"]
    subnet["id"] = subnet["id"].replace("resourceGroups", "resourcegroups").upper()


def an_open_nsg_on_a_card(cloud: AzureCloud) -> None:
    put_an_nsg_on_a_card(cloud)
    own = {"priority": 200, "protocol": "*"}
    cloud.add_rule("nic-nsg", "in", **own)
    cloud.add_rule("nic-nsg", "out", direction="Outbound", **own)


def a_tag_more(cloud: AzureCloud) -> None:
    cloud.nsg(DMZ)["tags"]["cost-centre"] = "4711"


def somebody_elses_machines(cloud: AzureCloud) -> None:
    add_card(cloud, "web", "internal", "10.0.10.200")
    cloud.resources["networkSecurityGroups"]["web"] = {
        "id": f"{NETWORK}/networkSecurityGroups/web",
        "name": "web",
        "location": "westeurope",
        "properties": {"securityRules": []},
    }
    cloud.add_rule("web", "all", priority=100)


def let_an_admin_rule_pass_on(cloud: AzureCloud) -> None:
    admin_rule(cloud, "Allow", "22")


HARMLESS: tuple[Tamper, ...] = (
    split_a_rule,
    split_a_source,
    move_a_priority,
    repeat_within,
    deny_what_is_denied,
    spell_capitals_otherwise,
    an_open_nsg_on_a_card,
    a_tag_more,
    somebody_elses_machines,
    let_an_admin_rule_pass_on,
)


def _name(tamper: Tamper) -> str:
    return tamper.__name__


def test_what_was_just_made_is_clean(cloud: AzureCloud, url: str) -> None:
    found = read(url).audit
    assert (found.verdict, found.unread, found.deviations) == (Verdict.CLEAN, (), ())
    assert found.summary.carried == found.summary.planned > 50
    assert (found.changed, found.unmanaged) == ((), ())
    assert found.read["network interfaces"] == 6
    assert cloud.calls["networkInterfaces"] == 3  # pages
    assert {method for method, _, _ in cloud.sent} == {"GET", "POST"}
    assert {key for _, _, key in cloud.sent} == {None}  # no token goes to such a server


@pytest.mark.parametrize("cards", [False, True])
def test_both_ip_versions_of_a_card_are_judged_together(tmp_path: Path, cards: bool) -> None:
    """A card has an IP configuration for each IP version, and each is asked for its own."""
    data = Deployment(ipv6=True, cards=cards).data("azure") | {
        "provider": {"subscription": SUBSCRIPTION}
    }
    file = tmp_path / "dual.yaml"
    file.write_text(json.dumps(data), "utf-8")
    cloud = AzureCloud()
    ranges = {"dmz-subnet": "10.0.1.0/24", "edge-subnet": "10.0.2.0/24"}
    add_network(cloud, "uc-vnet", {**ranges, "internal-subnet": "10.0.10.0/24"})
    add_card(cloud, "card-1-0", "dmz-subnet", "10.0.1.11", public="203.0.113.11")
    add_card(cloud, "card-2-0", "edge-subnet", "10.0.2.11")
    add_card(cloud, "card-10-0", "internal-subnet", "10.0.10.11")
    for number in (21, 22, 41):
        add_card(cloud, f"card-10-{number}", "internal-subnet", f"10.0.10.{number}")
    for card, address in (
        ("card-1-0", "2001:db8:0:1::b"),
        ("card-2-0", "2001:db8:0:2::b"),
        ("card-10-0", "2001:db8:0:a::b"),
    ):
        _add_ipv6(cloud, card, address)
    built = build(load(file))
    apply_terraform(cloud, json.loads(json.dumps(built.document)))
    with serving(cloud) as url:
        clean = _audited(built, url)
        assert (clean.verdict, clean.refused) == (Verdict.CLEAN, ())
        assert clean.summary.carried == clean.summary.planned
        for version, probe in ((4, "0.0.0.0/0"), (6, "::/0")):
            rules = cloud.rules("flowbridge-one-dmz")
            own = next(
                rule
                for rule in rules
                if rule["properties"].get("sourceAddressPrefix") == probe
                and rule["properties"]["access"] == "Allow"
            )
            rules.remove(own)
            found = _audited(built, url)
            assert found.verdict is Verdict.DRIFT, version
            assert any(ip.version == version for ip in _refused_peers(found))
            rules.append(own)


def _add_ipv6(cloud: AzureCloud, name: str, address: str) -> None:
    configs = cloud.card(name)["properties"]["ipConfigurations"]
    own = {**configs[0]["properties"], "privateIPAddress": address, "primary": False}
    own.pop("publicIPAddress", None)
    identity = configs[0]["id"].replace("ipconfig1", "ipv6")
    configs.append({"id": identity, "name": "ipv6", "properties": own})


def _audited(built: Built, url: str) -> Audit:
    site, reach = built.resolution.site, Access(endpoint_url=url, attempts=2, deadline=20.0)
    answers = READER.fetch(site, reach)
    live = READER.estate(answers, built.policy, site, built.document, reach)
    plan = judge(built).enforcement
    return audit(built.policy, plan, live, built.provider.expressible)


def _refused_peers(found: Audit) -> Iterator[Network]:
    for each in found.refused:
        for box in each.packets.boxes():
            yield from box.peers


@pytest.mark.parametrize("tamper", HARMFUL, ids=_name)
def test_harm_is_found(cloud: AzureCloud, url: str, tamper: Tamper) -> None:
    tamper(cloud)
    found = read(url).audit
    assert found.unread == ()
    assert found.verdict is Verdict.DRIFT


@pytest.mark.parametrize("tamper", HARMLESS, ids=_name)
def test_no_harm_is_reported(cloud: AzureCloud, url: str, tamper: Tamper) -> None:
    tamper(cloud)
    found = read(url).audit
    assert [each.as_plain() for each in found.opened] == []
    assert [each.as_plain() for each in found.refused] == []
    assert [each.message for each in found.deviations if each.drift] == []
    assert found.verdict is Verdict.CLEAN
    assert found.summary.carried == found.summary.planned


def test_an_opened_port_names_its_rule(cloud: AzureCloud, url: str) -> None:
    add_rule(cloud)
    found = read(url).audit
    opened = {each.rule.id for each in found.opened if each.rule}
    assert opened == {f"{DMZ}/temporary"}
    assert [state.rule.id for state in found.unmanaged] == [f"{DMZ}/temporary"]


def test_a_changed_rule_of_ours_is_told_as_ours(cloud: AzureCloud, url: str) -> None:
    rule = allow(cloud, protocol="Udp")
    widen_by_a_port(cloud)
    [state] = read(url).audit.changed
    assert state.rule.ours
    assert state.rule.id == f"{DMZ}/{rule['name']}"
    assert state.was is not None
    assert state.was.startswith("azurerm_network_security_group.dmz.security_rule[")


def test_nothing_made_is_judged_against_the_documents_alone() -> None:
    with serving(empty()) as url:
        found = read(url)
    assert not found.estate.managed
    assert found.audit.verdict is Verdict.DRIFT  # without an NSG everything is open
    assert found.audit.opened


# Faults: what cannot be read is said, and never looks empty or clean.


def refusing(
    status: int, code: str, *, only: str = "", times: int = 10**6, **headers: str
) -> Fault:
    left = [times]

    def fault(path: str) -> None:
        if path.endswith(only) and left[0] > 0:
            left[0] -= 1
            raise Refusal(status, code, f"{code} it is.", **headers)

    return fault


def cutting(how: str, *, times: int = 10**6) -> Fault:
    left = [times]

    def fault(_: str) -> str | None:
        left[0] -= 1
        return how if left[0] >= 0 else None

    return fault


LASTING: dict[str, tuple[Fault, Cause]] = {
    "429 storm": (refusing(429, "TooManyRequests", Retry_After="0"), Cause.THROTTLED),
    "429 for an hour": (refusing(429, "TooManyRequests", Retry_After="3600"), Cause.THROTTLED),
    "500s": (refusing(500, "InternalServerError"), Cause.FAILED),
    "resets": (cutting("reset"), Cause.UNREACHABLE),
    "answers cut short": (cutting("short"), Cause.GARBLED),
    "another shape": (cutting("html"), Cause.GARBLED),
    "lists without value": (cutting("no-value"), Cause.GARBLED),
    "expired": (refusing(401, "ExpiredAuthenticationToken"), Cause.EXPIRED),
    "no token": (refusing(401, "AuthenticationFailed"), Cause.NO_CREDENTIALS),
    "nothing allowed": (refusing(403, "AuthorizationFailed"), Cause.DENIED),
    "slow": (slow(3), Cause.TIMED_OUT),
}


@pytest.mark.parametrize("name", LASTING)
def test_a_lasting_fault_has_its_name(cloud: AzureCloud, url: str, name: str) -> None:
    cloud.fault, cause = LASTING[name]
    # Where slowness is not the fault, a busy machine is none either.
    patience = 0.3 if name == "slow" else 30.0
    deadline = 4.0 if name in ("slow", "429 for an hour") else 120.0
    found = read(url, attempts=2, read_timeout=patience, deadline=deadline)
    assert found.audit.verdict is Verdict.INCOMPLETE
    assert found.estate.enforcement == {}
    assert found.audit.unread[0].cause is cause
    assert found.audit.unread[0].remedy


@pytest.mark.parametrize(
    "fault",
    [
        refusing(429, "TooManyRequests", times=6, Retry_After="0"),
        refusing(503, "ServiceUnavailable", times=2),
        cutting("reset", times=2),
        cutting("html", times=1),
    ],
    ids=["429", "503", "reset", "html"],
)
def test_a_passing_fault_is_waited_out(cloud: AzureCloud, url: str, fault: Fault) -> None:
    cloud.fault = fault
    assert read(url, attempts=8).audit.verdict is Verdict.CLEAN


@pytest.mark.parametrize(
    "kind",
    [
        "networkSecurityGroups",
        "networkInterfaces",
        "applicationSecurityGroups",
        "publicIPAddresses",
        "uc-vnet",
        "listNetworkManagerEffectiveSecurityAdminRules",
    ],
)
def test_one_permission_missing_leaves_the_verdict_open(
    cloud: AzureCloud, url: str, kind: str
) -> None:
    cloud.fault = refusing(403, "AuthorizationFailed", only=kind)
    found = read(url).audit
    assert found.verdict is Verdict.INCOMPLETE
    assert {unread.cause for unread in found.unread} == {Cause.DENIED}
    assert (found.opened, found.refused) == ((), ())


def test_drift_is_told_although_something_is_not_allowed(cloud: AzureCloud, url: str) -> None:
    cloud.fault = refusing(403, "AuthorizationFailed", only="publicIPAddresses")
    add_rule(cloud)
    found = read(url).audit
    assert found.verdict is Verdict.DRIFT
    assert found.unread


@pytest.mark.parametrize("kind", ["networkInterfaces", "networkSecurityGroups"])
def test_a_lost_page_is_noticed(cloud: AzureCloud, url: str, kind: str) -> None:
    """A list that ends too early, as a role for a part of the subscription makes it."""
    whole = cloud.answer

    def without_last(method: str, path: str, query: object, at: str) -> Json:
        body = whole(method, path, query, at)  # type: ignore[arg-type]
        if path.endswith(f"/{kind}"):
            body.pop("nextLink", None)
            body["value"] = body["value"][:1]
        return body

    cloud.answer = without_last  # type: ignore[method-assign]
    found = read(url).audit
    assert found.verdict is Verdict.INCOMPLETE
    assert Cause.GARBLED in {unread.cause for unread in found.unread}


def test_a_next_page_elsewhere_is_not_followed(cloud: AzureCloud, url: str) -> None:
    whole = cloud.answer

    def elsewhere(method: str, path: str, query: object, at: str) -> Json:
        body = whole(method, path, query, at)  # type: ignore[arg-type]
        if "nextLink" in body:
            body["nextLink"] = body["nextLink"].replace("127.0.0.1", "localhost")
        return body

    cloud.answer = elsewhere  # type: ignore[method-assign]
    found = read(url).audit
    assert found.verdict is Verdict.INCOMPLETE
    assert "another server" in found.unread[0].message


def test_a_network_that_is_not_there(cloud: AzureCloud, url: str) -> None:
    cloud.networks.clear()
    found = read(url).audit
    assert [unread.cause for unread in found.unread] == [Cause.ABSENT]
    assert found.verdict is Verdict.INCOMPLETE


def test_credentials_do_not_go_where_a_file_points() -> None:
    site = example().resolution.site
    settings = site.provider.model_copy(
        update={"endpoints": {"resource_manager": "https://azure.example"}}
    )
    answers = READER.fetch(site.model_copy(update={"provider": settings}), Access())
    [unread] = answers.unread
    assert unread.cause is Cause.NO_CREDENTIALS
    assert "--endpoint-url" in unread.remedy


def test_the_endpoint_of_the_command_goes_before_the_files() -> None:
    site: Site = example().resolution.site
    settings = site.provider.model_copy(update={"endpoints": {"resource_manager": "https://a.b"}})
    named = site.model_copy(update={"provider": settings})
    assert Place.of(named, Access()).endpoint == "https://a.b"
    assert Place.of(named, Access(endpoint_url="http://127.0.0.1:1/")).endpoint == (
        "http://127.0.0.1:1"
    )


# Adopting, and looking before the apply.


def test_everything_that_is_there_is_imported(cloud: AzureCloud, url: str) -> None:
    built = example()
    site = built.resolution.site
    spell_capitals_otherwise(cloud)
    answers = READER.fetch(site, Access(endpoint_url=url))
    found = READER.adoption(answers, built.policy, site, planned())
    wanted = {f"{kind}.{name}" for kind, bodies in planned()["resource"].items() for name in bodies}
    assert {each.to for each in found.imports} == wanted
    assert (found.creates, found.changes, found.unread) == ((), (), ())
    ids = {each.to: each.id for each in found.imports}
    assert ids["azurerm_network_security_group.dmz"] == f"{NETWORK}/networkSecurityGroups/{DMZ}"
    assert f"{NETWORK}/virtualNetworks/uc-vnet/subnets/dmz-outer" in ids.values()
    card, group = f"{NETWORK}/networkInterfaces/core-1-nic", "flowbridge-azure-edge-expressway-c"
    assert f"{card}|{NETWORK}/applicationSecurityGroups/{group}-single" in ids.values()


def test_what_the_next_apply_takes_away_is_said(cloud: AzureCloud, url: str) -> None:
    built = example()
    site = built.resolution.site
    add_rule(cloud)
    answers = READER.fetch(site, Access(endpoint_url=url))
    [(address, said)] = READER.adoption(answers, built.policy, site, planned()).changes
    assert address == "azurerm_network_security_group.dmz"
    assert said == "removes 1 rules that the plan does not have (temporary)"


def test_nothing_is_imported_that_terraform_would_replace(cloud: AzureCloud, url: str) -> None:
    """Another NSG on a subnet, and groups in another region: an apply would destroy them."""
    built = example()
    site = built.resolution.site
    cloud.attach("dmz-outer", INTERNAL)
    group = "flowbridge-azure-edge-expressway-c-single"
    cloud.resources["applicationSecurityGroups"][group]["location"] = "northeurope"
    answers = READER.fetch(site, Access(endpoint_url=url))
    found = READER.adoption(answers, built.policy, site, planned())
    why = dict(found.conflicts)
    assert "northeurope" in why["azurerm_application_security_group.expressway-c_single"]
    [taken] = [said for said in why.values() if "dmz-outer" in said]
    assert INTERNAL in taken
    assert not why.keys() & {each.to for each in found.imports}
    assert not why.keys() & {*found.creates}
    # Who is a member of a group that is not ours to keep is made anew with it.
    kind = "azurerm_network_interface_application_security_group_association"
    assert [each for each in found.creates if each.startswith(f"{kind}.expressway-c")]


def test_an_apply_without_its_network_would_fail(cloud: AzureCloud, url: str) -> None:
    built = example()
    site = built.resolution.site
    cloud.networks.clear()
    answers = READER.fetch(site, Access(endpoint_url=url), asides=True)
    found = READER.preflight(answers, built.policy, site, planned())
    assert [finding.id for finding in found.findings] == ["azure/live-no-network"]
    assert found.findings[0].severity == "refusal"
    assert found.unread == ()


def test_what_would_fail_half_way(url: str, cloud: AzureCloud) -> None:
    built = example()
    site = built.resolution.site
    strip_nsg_tags(cloud)
    cloud.attach("internal", None)
    cloud.resources["networkSecurityGroups"].pop(INTERNAL)
    [network] = cloud.networks.values()
    network["location"] = "northeurope"
    network["properties"]["subnets"] = [
        each for each in network["properties"]["subnets"] if each["name"] != "dmz-inner"
    ]
    del cloud.resources["networkInterfaces"]["edge-1-inner"]
    cloud.usages = [
        {
            "id": f"{GROUP}/usages/NetworkSecurityGroups",
            "name": {"value": "NetworkSecurityGroups", "localizedValue": "NSGs"},
            "currentValue": 5000,
            "limit": 5000,
            "unit": "Count",
        }
    ]
    answers = READER.fetch(site, Access(endpoint_url=url), asides=True)
    found = READER.preflight(answers, built.policy, site, planned())
    assert {finding.id for finding in found.findings} >= {
        "azure/live-region",
        "azure/live-no-subnet",
        "azure/live-no-card",
        "azure/live-name-taken",
        "azure/live-exists",
        "azure/live-quota",
    }
    assert found.unread == ()


def test_a_fresh_place_is_ready() -> None:
    built = example()
    site = built.resolution.site
    with serving(empty()) as url:
        answers = READER.fetch(site, Access(endpoint_url=url), asides=True)
    found = READER.preflight(answers, built.policy, site, planned())
    assert (found.findings, found.unread) == ((), ())


def _permission(method: str, path: str) -> str:
    """What Azure asks for: the types of the path, without the names between them."""
    space, *parts = path.partition("/providers/")[2].split("/")
    verb = "action" if method == "POST" else "read"
    return "/".join((space, *parts[::2], verb)).lower()


def test_every_call_is_in_the_documented_role(cloud: AzureCloud, url: str) -> None:
    """On a network that gives cause for every call: a scale set is in it, too."""
    sets = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/edge"
    card = f"{sets}/virtualMachines/0/networkInterfaces/nic"
    whole = cloud.answer

    def with_a_scale_set(method: str, path: str, query: object, at: str) -> Json:
        if "virtualMachineScaleSets" in path:
            properties: Json = {"ipConfigurations": []}
            return {"value": [{"id": card, "name": "nic", "properties": properties}]}
        body = whole(method, path, query, at)  # type: ignore[arg-type]
        if path.endswith("/uc-vnet"):
            inside = body["properties"]["subnets"][0]["properties"]
            inside["ipConfigurations"].append({"id": f"{card}/ipConfigurations/one"})
        return body

    cloud.answer = with_a_scale_set  # type: ignore[method-assign]
    answers = READER.fetch(example().resolution.site, Access(endpoint_url=url), asides=True)
    assert answers.unread == ()
    made = {_permission(method, path) for method, path, _ in cloud.sent}
    assert made == {action.lower() for action in documented.azure_actions()}


def test_departures_have_their_kind(cloud: AzureCloud, url: str) -> None:
    cloud.attach("dmz-outer", None)
    take_a_card_out_of_its_group(cloud)
    kinds = {deviation.departure for deviation in read(url).audit.deviations}
    assert {Departure.FALLBACK, Departure.DETACHED} <= kinds


def test_admin_rules_of_one_name_are_two_rules(cloud: AzureCloud, url: str) -> None:
    deny_by_a_name_of_two_collections(cloud)
    found = read(url).audit
    by_id = {state.rule.id: state.effect for state in found.unmanaged}
    assert by_id == {
        "security-admin-rule/m/c/a/rule": "refuses what is asked for",
        "security-admin-rule/m/c/b/rule": "changes nothing that passes",
    }


def test_the_members_of_a_network_group_are_not_nobody(cloud: AzureCloud, url: str) -> None:
    always_allow_from_a_network_group(cloud)
    found = read(url).audit
    [told] = [each for each in found.deviations if each.drift]
    assert told.departure is Departure.UNRESOLVED
    assert "networkGroups/g" in told.message
    [state] = found.unmanaged
    assert state.drift
    assert state.effect == "what it does cannot be told"


def test_rules_that_an_nsg_on_a_card_takes_away_are_not_in_effect(
    cloud: AzureCloud, url: str
) -> None:
    whole = read(url).audit.summary
    assert whole.carried == whole.planned
    nsg = copy.deepcopy(cloud.nsg(DMZ)) | {
        "name": "by-hand",
        "id": f"{NETWORK}/by-hand",
        "tags": {},
    }
    nsg["properties"]["securityRules"] = []
    cloud.resources["networkSecurityGroups"]["by-hand"] = nsg
    cloud.card("edge-1-outer")["properties"]["networkSecurityGroup"] = {"id": nsg["id"]}
    found = read(url).audit
    assert found.refused
    assert 0 < found.summary.missing == found.summary.planned - found.summary.carried
    assert all("expressway-e" in name or "dmz" in name for name in found.missing)


def test_a_rule_of_another_deployment_is_told_as_its(cloud: AzureCloud, url: str) -> None:
    nsg = copy.deepcopy(cloud.nsg(DMZ)) | {"name": "other-dmz", "id": f"{NETWORK}/other-dmz"}
    nsg["tags"]["flowbridge:site"] = "other"
    cloud.resources["networkSecurityGroups"]["other-dmz"] = nsg
    cloud.add_rule("other-dmz", "temporary", priority=4050, destinationPortRange="22")
    cloud.attach("dmz-outer", "other-dmz")
    whose = {state.rule.id: state.rule.whose for state in read(url).audit.unmanaged}
    assert whose.pop("other-dmz/temporary") == "not ours"
    assert set(whose.values()) == {"of deployment other"}


def test_an_address_that_the_deployment_does_not_name_is_told(cloud: AzureCloud, url: str) -> None:
    configs = cloud.card("edge-1-outer")["properties"]["ipConfigurations"]
    second = copy.deepcopy(configs[0])
    second["id"] += "-2"
    second["properties"]["privateIPAddress"] = "10.0.1.77"
    configs.append(second)
    said = [each for each in read(url).audit.deviations if "10.0.1.77" in each.message]
    assert [(each.departure, each.drift) for each in said] == [(Departure.ADDRESS_CHANGED, False)]


def test_an_nsg_is_judged_as_that_of_an_interface() -> None:
    """Made by hand, on nothing yet: the command names it."""
    cloud = empty()
    nsg = copy.deepcopy(deployed().nsg(DMZ)) | {"name": "by-hand", "id": f"{NETWORK}/by-hand"}
    nsg["tags"], nsg["properties"]["securityRules"] = {}, []
    cloud.resources["networkSecurityGroups"]["by-hand"] = nsg
    cloud.add_rule("by-hand", "rdp", priority=100, destinationPortRange="3389")
    with serving(cloud) as url:
        found = read(url, placed={"expressway-e/external": ("by-hand",)}).audit
    assert found.unread == ()
    opened = {each.rule.id for each in found.opened if each.rule}
    assert opened == {"by-hand/rdp"}
    inside = [each for each in found.refused if each.point.interface == "expressway-e/external"]
    assert inside


def test_a_name_that_is_neither_card_nor_nsg_is_said_to_be() -> None:
    with serving(empty()) as url:
        found = read(url, placed={"expressway-e/external": ("nope",)}).audit
    said = [each.message for each in found.deviations if each.subject == "nope"]
    assert said == ["the network interface or NSG nope of expressway-e/external does not exist"]
