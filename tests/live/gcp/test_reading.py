"""The Google Cloud reader: the real client over HTTP against a stand-in that keeps state.

Every harmful change behind Terraform's back is found, no harmless one is reported, and no fault
of the cloud ever looks like an empty or a clean estate.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator

import pytest

from flowbridge.policy.audit.audit import Verdict
from flowbridge.policy.audit.estate import Cause, Departure
from flowbridge.providers.gcp.live.answers import Place
from flowbridge.providers.gcp.live.faults import fault_of
from flowbridge.providers.gcp.live.reader import READER
from flowbridge.providers.live.contract import Access, Adoption
from tests.live import documented
from tests.live.gcp.estates import POLICIES, Changes, deployed, empty, example, planned, read
from tests.live.gcp.server import PROJECT, ROOT, Fault, GoogleCloud, Json, Refusal, serving, slow

Tamper = Callable[[GoogleCloud], object]

ANYWHERE = {"sourceRanges": ["0.0.0.0/0"]}


@pytest.fixture
def cloud() -> GoogleCloud:
    return deployed()


@pytest.fixture
def url(cloud: GoogleCloud) -> Iterator[str]:
    with serving(cloud) as found:
        yield found


def outer(cloud: GoogleCloud, *, protocol: str = "udp", direction: str = "INGRESS") -> Json:
    """An allow rule of ours for the outer card with a range of ports of `protocol`."""
    return next(
        row
        for name, row in sorted(cloud.firewalls.items())
        if "expressway-e-external" in name
        and row["direction"] == direction
        and any(
            layer["IPProtocol"] == protocol and any("-" in p for p in layer.get("ports", ()))
            for layer in row.get("allowed", ())
        )
    )


def ports(row: Json, protocol: str = "udp") -> list[str]:
    [layer] = [each for each in row["allowed"] if each["IPProtocol"] == protocol]
    found: list[str] = layer["ports"]
    return found


def put_ranges(row: Json, change: Callable[[int, int], str], protocol: str = "udp") -> None:
    """Change the last range of ports."""
    listed = ports(row, protocol)
    place = max(n for n, text in enumerate(listed) if "-" in text)
    first, last = map(int, listed[place].split("-"))
    listed[place] = change(first, last)


# Harmful changes.


def add_rule(cloud: GoogleCloud) -> None:
    ssh = [{"IPProtocol": "tcp", "ports": ["22"]}]
    cloud.add_firewall("temporary", "dmz-net", priority=500, allowed=ssh, **ANYWHERE)


def add_rule_for_a_tag_that_the_machine_has(cloud: GoogleCloud) -> None:
    cloud.tags("edge-1").append("web")
    everything = [{"IPProtocol": "all"}]
    own = {"priority": 500, "allowed": everything, "targetTags": ["web"]}
    cloud.add_firewall("web", "dmz-net", **own, **ANYWHERE)


def add_rule_from_a_tag(cloud: GoogleCloud) -> None:
    own = {"sourceTags": ["printer"], "targetTags": ["fb-gcp-edge-cucm-single"]}
    cloud.add_firewall("print", "inside-net", priority=500, allowed=[{"IPProtocol": "tcp"}], **own)


def add_rule_outbound(cloud: GoogleCloud) -> None:
    own = {"direction": "EGRESS", "destinationRanges": ["0.0.0.0/0"]}
    cloud.add_firewall("out", "dmz-net", priority=1, allowed=[{"IPProtocol": "tcp"}], **own)


def remove_rule(cloud: GoogleCloud) -> None:
    del cloud.firewalls[outer(cloud)["name"]]


def disable_rule(cloud: GoogleCloud) -> None:
    outer(cloud)["disabled"] = True


def remove_the_deny(cloud: GoogleCloud) -> None:
    """What remains is the implied rule, which lets everything out."""
    name = next(
        name
        for name, row in cloud.firewalls.items()
        if "cucm" in name and row["direction"] == "EGRESS" and "denied" in row
    )
    del cloud.firewalls[name]


def widen_by_a_port(cloud: GoogleCloud) -> None:
    put_ranges(outer(cloud), lambda first, last: f"{first}-{last + 1}")


def narrow_by_a_port(cloud: GoogleCloud) -> None:
    put_ranges(outer(cloud), lambda first, last: f"{first + 1}-{last}")


def change_source(cloud: GoogleCloud) -> None:
    outer(cloud)["sourceRanges"] = ["198.51.100.0/24"]


def widen_source(cloud: GoogleCloud) -> None:
    row = next(r for r in cloud.firewalls.values() if r.get("sourceRanges") == ["10.0.10.11/32"])
    row["sourceRanges"] = ["10.0.10.0/28"]


def swap_target_of_a_rule(cloud: GoogleCloud) -> None:
    outer(cloud)["targetTags"] = ["fb-gcp-edge-cucm-single"]


def take_the_target_off_a_rule(cloud: GoogleCloud) -> None:
    row = next(r for n, r in cloud.firewalls.items() if "expressway-c" in n and "allowed" in r)
    del row["targetTags"]


def take_a_tag_off_a_machine(cloud: GoogleCloud) -> None:
    cloud.tags("cucm-2").clear()


def swap_the_tags_of_machines(cloud: GoogleCloud) -> None:
    one, two = cloud.instances["core-1"], cloud.instances["cucm-1"]
    one["tags"], two["tags"] = two["tags"], one["tags"]


def deny_before_ours(cloud: GoogleCloud) -> None:
    tls = [{"IPProtocol": "tcp", "ports": ["5061"]}]
    cloud.add_firewall("block", "dmz-net", priority=0, denied=tls, **ANYWHERE)


def allow_before_ours(cloud: GoogleCloud) -> None:
    own = {"priority": 0, "allowed": [{"IPProtocol": "all"}], **ANYWHERE}
    cloud.add_firewall("first", "inside-net", **own)


def put_the_denies_first(cloud: GoogleCloud) -> None:
    for row in cloud.firewalls.values():
        if "denied" in row:
            row["priority"] = 800


def strip_marker(cloud: GoogleCloud) -> None:
    outer(cloud)["description"] = "opened by hand"


def move_a_machine(cloud: GoogleCloud) -> None:
    cloud.instances["edge-1"]["networkInterfaces"][0]["network"] = f"{ROOT}/global/networks/default"
    cloud.tags("edge-1").clear()


def hierarchy(cloud: GoogleCloud, action: str, port: str, **more: object) -> None:
    rule = {
        "priority": 10,
        "action": action,
        "direction": "INGRESS",
        "match": {
            "srcIpRanges": ["0.0.0.0/0"],
            "layer4Configs": [{"ipProtocol": "tcp", "ports": [port]}],
        },
        **more,
    }
    policy = {"name": "111222333", "displayName": "org-policy", "type": "HIERARCHY"}
    cloud.hierarchical.append({**policy, "rules": [rule]})


def allow_by_the_organisation(cloud: GoogleCloud) -> None:
    hierarchy(cloud, "allow", "22")


def deny_by_the_organisation(cloud: GoogleCloud) -> None:
    hierarchy(cloud, "deny", "5061")


def inspect_by_the_organisation(cloud: GoogleCloud) -> None:
    hierarchy(cloud, "apply_security_profile_group", "5061")


def allow_in_the_region_with_policies_first(cloud: GoogleCloud) -> None:
    cloud.networks["dmz-net"]["networkFirewallPolicyEnforcementOrder"] = "BEFORE_CLASSIC_FIREWALL"
    hierarchy(cloud, "allow", "8443")
    regional = {**cloud.hierarchical.pop(), "displayName": "region", "type": "NETWORK_REGIONAL"}
    cloud.regional.append(regional)
    cloud.regional[0]["rules"][0]["match"]["layer4Configs"][0]["ports"] = ["2222"]


HARMFUL: tuple[Tamper, ...] = (
    add_rule,
    add_rule_for_a_tag_that_the_machine_has,
    add_rule_from_a_tag,
    add_rule_outbound,
    remove_rule,
    disable_rule,
    remove_the_deny,
    widen_by_a_port,
    narrow_by_a_port,
    change_source,
    widen_source,
    swap_target_of_a_rule,
    take_the_target_off_a_rule,
    take_a_tag_off_a_machine,
    swap_the_tags_of_machines,
    deny_before_ours,
    allow_before_ours,
    put_the_denies_first,
    strip_marker,
    move_a_machine,
    allow_by_the_organisation,
    deny_by_the_organisation,
    inspect_by_the_organisation,
    allow_in_the_region_with_policies_first,
)


# Harmless changes.


def split_a_rule(cloud: GoogleCloud) -> None:
    row = outer(cloud)
    other = copy.deepcopy(row)
    other["name"] = f"{row['name'][:60]}-2"
    found: list[tuple[int, int]] = []

    def keep(first: int, last: int) -> str:
        found.append((first, last))
        return str(first)

    put_ranges(row, keep)
    [(first, last)] = found
    other["allowed"] = [{"IPProtocol": "udp", "ports": [f"{first + 1}-{last}"]}]
    cloud.firewalls[other["name"]] = other


def split_a_source(cloud: GoogleCloud) -> None:
    row = next(r for r in cloud.firewalls.values() if r.get("sourceRanges") == ["0.0.0.0/0"])
    row["sourceRanges"] = ["0.0.0.0/1", "128.0.0.0/1"]


def split_a_range_of_ports(cloud: GoogleCloud) -> None:
    row = outer(cloud)
    rest: list[str] = []

    def cut(first: int, last: int) -> str:
        rest.append(f"{first + 1}-{last}")
        return str(first)

    put_ranges(row, cut)
    ports(row).extend(rest)


def move_a_priority(cloud: GoogleCloud) -> None:
    # Of a rule for the inside: one for the internet stands behind what denies the inside.
    own = next(
        row
        for name, row in sorted(cloud.firewalls.items())
        if "expressway-e-internal" in name and row.get("allowed")
    )
    own["priority"] = 899


def deny_what_is_denied(cloud: GoogleCloud) -> None:
    rdp = [{"IPProtocol": "tcp", "ports": ["3389"]}]
    cloud.add_firewall("no-rdp", "inside-net", priority=10, denied=rdp, **ANYWHERE)


def a_disabled_rule(cloud: GoogleCloud) -> None:
    own = {"priority": 0, "allowed": [{"IPProtocol": "all"}], "disabled": True, **ANYWHERE}
    cloud.add_firewall("off", "dmz-net", **own)


def a_rule_for_other_machines(cloud: GoogleCloud) -> None:
    own = {"priority": 0, "allowed": [{"IPProtocol": "all"}], "targetTags": ["printer"], **ANYWHERE}
    cloud.add_firewall("printers", "inside-net", **own)


def a_rule_for_another_network(cloud: GoogleCloud) -> None:
    own = {"priority": 0, "allowed": [{"IPProtocol": "all"}], **ANYWHERE}
    cloud.add_firewall("elsewhere", "default", **own)


def a_rule_behind_ours(cloud: GoogleCloud) -> None:
    own = {"priority": 2000, "allowed": [{"IPProtocol": "all"}], **ANYWHERE}
    cloud.add_firewall("late", "dmz-net", **own)


def a_tag_more(cloud: GoogleCloud) -> None:
    cloud.tags("edge-1").append("monitored")


def switch_logging_on(cloud: GoogleCloud) -> None:
    outer(cloud)["logConfig"] = {"enable": True}


def pass_on_by_the_organisation(cloud: GoogleCloud) -> None:
    hierarchy(cloud, "goto_next", "22")


def the_organisation_for_another_network(cloud: GoogleCloud) -> None:
    hierarchy(cloud, "allow", "22", targetResources=[f"{ROOT}/global/networks/default"])


HARMLESS: tuple[Tamper, ...] = (
    split_a_rule,
    split_a_source,
    split_a_range_of_ports,
    move_a_priority,
    deny_what_is_denied,
    a_disabled_rule,
    a_rule_for_other_machines,
    a_rule_for_another_network,
    a_rule_behind_ours,
    a_tag_more,
    switch_logging_on,
    pass_on_by_the_organisation,
    the_organisation_for_another_network,
)


def _name(tamper: Tamper) -> str:
    return tamper.__name__


def test_what_was_just_made_is_clean(cloud: GoogleCloud, url: str) -> None:
    found = read(url).audit
    assert (found.verdict, found.unread, found.deviations) == (Verdict.CLEAN, (), ())
    assert found.summary.carried == found.summary.planned > 20
    assert (found.changed, found.unmanaged) == ((), ())
    assert found.read["instances"] == 6
    assert cloud.calls["firewalls"] == 8  # pages
    assert {key for _, _, key in cloud.sent} == {None}  # no token goes to such a server


@pytest.mark.parametrize("tamper", HARMFUL, ids=_name)
def test_harm_is_found(cloud: GoogleCloud, url: str, tamper: Tamper) -> None:
    tamper(cloud)
    found = read(url).audit
    assert found.unread == ()
    assert found.verdict is Verdict.DRIFT


@pytest.mark.parametrize("tamper", HARMLESS, ids=_name)
def test_no_harm_is_reported(cloud: GoogleCloud, url: str, tamper: Tamper) -> None:
    tamper(cloud)
    found = read(url).audit
    assert [each.as_plain() for each in found.opened] == []
    assert [each.as_plain() for each in found.refused] == []
    assert [each.message for each in found.deviations if each.drift] == []
    assert found.verdict is Verdict.CLEAN
    assert found.summary.carried == found.summary.planned


def test_only_the_addresses_that_no_instance_has_are_told() -> None:
    """Expressway-C is there by its IPv4 address, and has no IPv6 address yet."""
    changes = (
        ("network.tiers.internal.cidrs", "[10.0.10.0/24, '2001:db8:10::/64']"),
        ("expressway_c.peers", "[{address: [10.0.10.11, '2001:db8:10::11']}]"),
    )
    with serving(deployed(changes)) as url:
        notes = read(url, changes).audit.notes
    (told,) = [note for note in notes if "no instance has" in note]
    assert told.startswith("expressway-c/single: no instance has 2001:db8:10::11: ")


def test_an_opened_port_names_its_rule(cloud: GoogleCloud, url: str) -> None:
    add_rule(cloud)
    found = read(url).audit
    assert {each.rule.id for each in found.opened if each.rule} == {"temporary"}
    assert [state.rule.id for state in found.unmanaged] == ["temporary"]


def test_a_changed_rule_of_ours_is_told_as_ours(cloud: GoogleCloud, url: str) -> None:
    name = outer(cloud)["name"]
    widen_by_a_port(cloud)
    [state] = read(url).audit.changed
    assert (state.rule.id, state.rule.ours) == (name, True)
    assert state.was is not None
    assert state.was.startswith("google_compute_firewall.expressway-e_external")


def test_a_deny_of_ours_that_is_off_is_not_said_to_change_nothing(
    cloud: GoogleCloud, url: str
) -> None:
    denies = next(row for row in cloud.firewalls.values() if row["direction"] == "EGRESS")
    assert denies["denied"]
    denies["disabled"] = True
    found = read(url).audit
    [state] = found.changed
    assert state.rule.id == denies["name"]
    assert state.drift
    assert state.effect == "no longer refuses what the planned rule did"
    # What was opened by another rule is that rule's doing.
    denies["disabled"] = False
    outer(cloud)["allowed"] = [{"IPProtocol": "all"}]
    assert [each.effect for each in read(url).audit.changed] == ["opens what nobody asked for"]


def test_a_disabled_rule_of_the_organisation_decides_nothing(cloud: GoogleCloud, url: str) -> None:
    hierarchy(cloud, "deny", "22", disabled=True)
    found = read(url).audit
    assert [each.message for each in found.deviations] == []
    assert {state.rule.text.rpartition(", ")[2] for state in found.unmanaged} == {"disabled"}


def test_a_rule_of_another_deployment_is_told_as_its(cloud: GoogleCloud, url: str) -> None:
    theirs = copy.deepcopy(outer(cloud)) | {
        "name": "other-rule",
        "allowed": [{"IPProtocol": "all"}],
    }
    theirs["description"] = theirs["description"].replace("site=gcp-edge", "site=other")
    cloud.firewalls["other-rule"] = theirs
    [state] = read(url).audit.unmanaged
    assert (state.rule.made_for, state.rule.whose) == ("other", "of deployment other")


def test_an_address_that_the_deployment_does_not_name_is_told(cloud: GoogleCloud, url: str) -> None:
    cloud.instances["edge-1"]["networkInterfaces"][1]["aliasIpRanges"] = [
        {"ipCidrRange": "10.0.2.64/28"}
    ]
    [told] = read(url).audit.deviations
    assert (told.departure, told.drift) == (Departure.ADDRESS_CHANGED, False)
    assert "edge-1/nic1 of expressway-e/internal has 10.0.2.64/28, too" in told.message


def test_nothing_made_is_judged_against_the_documents_alone() -> None:
    with serving(empty()) as url:
        found = read(url)
    assert not found.estate.managed
    assert found.audit.verdict is Verdict.DRIFT  # nothing gets in
    assert found.audit.refused


# The same with network firewall policies.


def _policy_rule(cloud: GoogleCloud, action: str = "allow") -> Json:
    rules = cloud.policies[min(cloud.policies)]["rules"]
    found: Json = next(
        rule
        for rule in rules
        if rule["action"] == action and "expressway-e-external-in" in rule.get("ruleName", "")
    )
    return found


def widen_a_policy_rule(cloud: GoogleCloud) -> None:
    layer = _policy_rule(cloud)["match"]["layer4Configs"][0]
    layer["ports"] = [*layer["ports"], "2222"]


def swap_the_tag_of_a_policy_rule(cloud: GoogleCloud) -> None:
    _policy_rule(cloud)["targetSecureTags"] = [{"name": "tagValues/9999", "state": "EFFECTIVE"}]


def insert_before_ours(cloud: GoogleCloud) -> None:
    rule = copy.deepcopy(_policy_rule(cloud))
    rule |= {"priority": 5, "action": "deny", "ruleName": "block", "description": ""}
    cloud.policies[min(cloud.policies)]["rules"].insert(0, rule)


def remove_the_association(cloud: GoogleCloud) -> None:
    cloud.policies[min(cloud.policies)]["associations"].clear()


def move_the_association(cloud: GoogleCloud) -> None:
    [own] = cloud.policies[min(cloud.policies)]["associations"]
    own["attachmentTarget"] = f"projects/{ROOT.rsplit('/', 1)[-1]}/global/networks/default"


def unbind_a_tag(cloud: GoogleCloud) -> None:
    cloud.secure_tags["edge-1"].pop()


def a_classic_rule_before_the_policy(cloud: GoogleCloud) -> None:
    own = {"priority": 65000, "allowed": [{"IPProtocol": "tcp", "ports": ["22"]}], **ANYWHERE}
    cloud.add_firewall("old", "dmz-net", **own)


def delete_a_policy(cloud: GoogleCloud) -> None:
    del cloud.policies[min(cloud.policies)]


IN_POLICIES: tuple[Tamper, ...] = (
    widen_a_policy_rule,
    swap_the_tag_of_a_policy_rule,
    insert_before_ours,
    remove_the_association,
    move_the_association,
    unbind_a_tag,
    a_classic_rule_before_the_policy,
    delete_a_policy,
)


def test_policies_just_made_are_clean() -> None:
    with serving(deployed(POLICIES)) as url:
        found = read(url, POLICIES).audit
    assert (found.verdict, found.unread, found.deviations) == (Verdict.CLEAN, (), ())
    assert (found.changed, found.unmanaged) == ((), ())
    assert found.summary.carried == found.summary.planned > 20


@pytest.mark.parametrize("tamper", IN_POLICIES, ids=_name)
def test_harm_in_a_policy_is_found(tamper: Tamper) -> None:
    cloud = deployed(POLICIES)
    tamper(cloud)
    with serving(cloud) as url:
        found = read(url, POLICIES).audit
    assert found.unread == ()
    assert found.verdict is Verdict.DRIFT


def test_a_policy_rule_in_two_parts_is_no_drift() -> None:
    cloud = deployed(POLICIES)
    rule = next(
        r
        for r in cloud.policies[min(cloud.policies)]["rules"]
        if r["action"] == "allow" and len(r["match"]["layer4Configs"]) > 1
    )
    other = copy.deepcopy(rule)
    other["priority"] += 1
    rule["match"]["layer4Configs"] = rule["match"]["layer4Configs"][:1]
    other["match"]["layer4Configs"] = other["match"]["layer4Configs"][1:]
    cloud.policies[min(cloud.policies)]["rules"].append(other)
    with serving(cloud) as url:
        assert read(url, POLICIES).audit.verdict is Verdict.CLEAN


# Faults: what cannot be read is said, and never looks empty or clean.


def refusing(status: int, reason: str, *, only: str = "", times: int = 10**6, **head: str) -> Fault:
    left = [times]

    def fault(path: str) -> None:
        if path.endswith(only) and left[0] > 0:
            left[0] -= 1
            raise Refusal(status, reason, f"{reason} it is", **head)

    return fault


def cutting(how: str, *, times: int = 10**6) -> Fault:
    left = [times]

    def fault(_: str) -> str | None:
        left[0] -= 1
        return how if left[0] >= 0 else None

    return fault


LASTING: dict[str, tuple[Fault, Cause]] = {
    "429 storm": (refusing(429, "rateLimitExceeded", Retry_After="0"), Cause.THROTTLED),
    "429 for an hour": (refusing(429, "rateLimitExceeded", Retry_After="3600"), Cause.THROTTLED),
    "403 for rates": (refusing(403, "rateLimitExceeded"), Cause.THROTTLED),
    "500s": (refusing(500, "backendError"), Cause.FAILED),
    "resets": (cutting("reset"), Cause.UNREACHABLE),
    "answers cut short": (cutting("short"), Cause.UNREACHABLE),
    "another shape": (cutting("html"), Cause.GARBLED),
    "nothing in it": (cutting("empty"), Cause.GARBLED),
    "no token": (refusing(401, "required"), Cause.NO_CREDENTIALS),
    "nothing allowed": (refusing(403, "forbidden"), Cause.DENIED),
    "slow": (slow(3), Cause.TIMED_OUT),
}


@pytest.mark.parametrize("name", LASTING)
def test_a_lasting_fault_has_its_name(cloud: GoogleCloud, url: str, name: str) -> None:
    cloud.fault, cause = LASTING[name]
    # Where slowness is not the fault, a busy machine is none either.
    patience = 0.3 if name == "slow" else 30.0
    deadline = 4.0 if name in ("slow", "429 for an hour") else 120.0
    found = read(url, attempts=2, read_timeout=patience, deadline=deadline)
    assert found.audit.verdict is Verdict.INCOMPLETE
    assert found.estate.enforcement == {}
    assert found.audit.unread[0].cause is cause
    assert found.audit.unread[0].remedy


def test_an_expired_sign_in_has_its_name() -> None:
    """An emulator knows no sign-in, so what the SDK raises is raised here."""
    from google.api_core.exceptions import from_http_status
    from google.auth.exceptions import RefreshError

    refresh = RefreshError("Reauthentication is needed.")  # type: ignore[no-untyped-call]
    answer = from_http_status(401, "Request had an expired token.")  # type: ignore[no-untyped-call]
    for error in (refresh, answer):
        assert fault_of(error).cause is Cause.EXPIRED
        assert "application-default login" in fault_of(error).remedy


@pytest.mark.parametrize(
    "fault",
    [
        refusing(429, "rateLimitExceeded", times=4, Retry_After="0"),
        refusing(403, "rateLimitExceeded", times=2),
        refusing(503, "backendError", times=2),
        cutting("reset", times=2),
        cutting("html", times=1),
    ],
    ids=["429", "403 for rates", "503", "reset", "html"],
)
def test_a_passing_fault_is_waited_out(cloud: GoogleCloud, url: str, fault: Fault) -> None:
    cloud.fault = fault
    assert read(url, attempts=8).audit.verdict is Verdict.CLEAN


@pytest.mark.parametrize("kind", ["firewalls", "instances", "dmz-net", "getEffectiveFirewalls"])
def test_one_permission_missing_leaves_the_verdict_open(
    cloud: GoogleCloud, url: str, kind: str
) -> None:
    cloud.fault = refusing(403, "forbidden", only=kind)
    found = read(url).audit
    assert found.verdict is Verdict.INCOMPLETE
    assert {unread.cause for unread in found.unread} == {Cause.DENIED}
    assert (found.opened, found.refused) == ((), ())


@pytest.mark.parametrize("kind", ["effectiveTags", "getEffectiveFirewalls"])
def test_one_permission_missing_for_policies(kind: str) -> None:
    cloud = deployed(POLICIES)
    cloud.fault = refusing(403, "forbidden", only=kind)
    with serving(cloud) as url:
        found = read(url, POLICIES).audit
    assert found.verdict is Verdict.INCOMPLETE
    assert found.refused == ()


def test_drift_is_told_although_something_is_not_allowed(cloud: GoogleCloud, url: str) -> None:
    cloud.fault = refusing(403, "forbidden", only="getEffectiveFirewalls")
    add_rule(cloud)
    found = read(url).audit
    assert found.verdict is Verdict.DRIFT
    assert found.unread


def test_a_lost_page_is_noticed(cloud: GoogleCloud, url: str) -> None:
    whole = cloud.answer

    def without_last(method: str, path: str, query: object) -> Json:
        body = whole(method, path, query)  # type: ignore[arg-type]
        if path.endswith("/firewalls"):
            body.pop("nextPageToken", None)
        return body

    cloud.answer = without_last  # type: ignore[method-assign]
    found = read(url).audit
    assert found.verdict is Verdict.INCOMPLETE
    assert [unread.cause for unread in found.unread] == [Cause.GARBLED]


def test_a_zone_that_does_not_answer_is_said(cloud: GoogleCloud, url: str) -> None:
    whole = cloud.answer

    def unreachable(method: str, path: str, query: object) -> Json:
        body = whole(method, path, query)  # type: ignore[arg-type]
        if path.endswith("/instances"):
            warning = {"code": "UNREACHABLE", "message": "zone is down"}
            body["items"]["zones/europe-west1-c"] = {"warning": warning}
        return body

    cloud.answer = unreachable  # type: ignore[method-assign]
    found = read(url).audit
    assert found.verdict is Verdict.INCOMPLETE
    assert found.unread[0].cause is Cause.UNREACHABLE


def test_a_network_that_is_not_there(cloud: GoogleCloud, url: str) -> None:
    del cloud.networks["dmz-net"]
    found = read(url).audit
    assert [unread.cause for unread in found.unread] == [Cause.ABSENT]
    assert found.verdict is Verdict.INCOMPLETE


@pytest.mark.parametrize("server", ["https://compute.example", "http://compute.example"])
def test_credentials_do_not_go_where_a_file_points(server: str) -> None:
    site = example().resolution.site
    settings = site.provider.model_copy(update={"endpoints": {"compute": server}})
    answers = READER.fetch(site.model_copy(update={"provider": settings}), Access())
    [unread] = answers.unread
    assert unread.cause is Cause.NO_CREDENTIALS
    assert "--endpoint-url" in unread.remedy


def test_terraforms_endpoint_is_the_clients() -> None:
    site = example().resolution.site
    here = {"compute": "http://127.0.0.1:1/compute/v1/"}
    settings = site.provider.model_copy(update={"endpoints": here})
    named = site.model_copy(update={"provider": settings})
    assert Place.of(named, Access()).endpoint == "http://127.0.0.1:1"
    assert Place.of(named, Access(endpoint_url="http://localhost:2")).endpoint == (
        "http://localhost:2"
    )


# Adopting, and looking before the apply.


def test_everything_that_is_there_is_imported(url: str) -> None:
    built = example()
    site = built.resolution.site
    answers = READER.fetch(site, Access(endpoint_url=url))
    found = READER.adoption(answers, built.policy, site, planned())
    firewalls = planned()["resource"]["google_compute_firewall"]
    assert {each.to: each.id for each in found.imports} == {
        f"google_compute_firewall.{name}": f"projects/uc-edge-prod/global/firewalls/{body['name']}"
        for name, body in firewalls.items()
    }
    assert (found.creates, found.changes, found.unread) == ((), (), ())
    assert found.left == ()


def adoption(cloud: GoogleCloud, changes: Changes) -> Adoption:
    """What adopting the deployment with these changes finds in `cloud`."""
    built = example(changes)
    site = built.resolution.site
    with serving(cloud) as url:
        answers = READER.fetch(site, Access(endpoint_url=url))
    return READER.adoption(answers, built.policy, site, planned(changes))


def test_policies_and_tags_that_are_there_are_imported() -> None:
    """Terraform could not make a tag again: its name is taken."""
    cloud = deployed(POLICIES)
    found = adoption(cloud, POLICIES)
    ids = {each.to: each.id for each in found.imports}
    assert {address.partition(".")[0] for address in ids} == {
        "google_compute_network_firewall_policy_with_rules",
        "google_compute_network_firewall_policy_association",
        "google_tags_tag_key",
        "google_tags_tag_value",
    }
    [value] = cloud.secure_tags["core-1"]
    [tag] = [to for to in ids if to.startswith("google_tags_tag_value.expressway-c_single")]
    assert ids[tag] == value
    [key] = [to for to in ids if to.startswith("google_tags_tag_key.inside-net")]
    assert ids[key] == cloud.tag_names[value]["tagKey"]
    assert (found.creates, found.conflicts) == ((), ())


def test_a_tag_that_no_machine_has_is_in_the_way() -> None:
    cloud = deployed(POLICIES)
    [value] = cloud.secure_tags.pop("core-1")
    found = adoption(cloud, POLICIES)
    [(address, why)] = found.conflicts
    assert address.startswith("google_tags_tag_value.expressway-c_single")
    assert f"live rules use {value}" in why
    assert found.creates == ()


def test_a_binding_that_is_there_is_imported() -> None:
    machine = "//compute.googleapis.com/projects/123456789/zones/europe-west1-b/instances/4000001"
    changes = (*POLICIES, ("expressway_c.peers.0.eni", machine))
    cloud = deployed(changes)
    found = adoption(cloud, changes)
    [binding] = [each for each in found.imports if "tag_binding" in each.to]
    [value] = cloud.secure_tags["core-1"]
    parent = machine.replace("/", "%2F")
    assert binding.id == f"europe-west1-b/tagBindings/{parent}/{value}"
    assert found.creates == ()


def test_what_would_change_is_said(cloud: GoogleCloud, url: str) -> None:
    built = example()
    site = built.resolution.site
    widen_by_a_port(cloud)
    add_rule(cloud)
    answers = READER.fetch(site, Access(endpoint_url=url))
    found = READER.adoption(answers, built.policy, site, planned())
    assert [said for _, said in found.changes] == ["what it matches is made what the plan says"]
    assert found.left == ("the firewall rule temporary of network dmz-net stays as it is",)


PERMISSIONS = {
    r"/global/networks/[^/]+": "compute.networks.get",
    r"/global/networks/[^/]+/getEffectiveFirewalls": "compute.networks.getEffectiveFirewalls",
    r"/regions/[^/]+/firewallPolicies/getEffectiveFirewalls": (
        "compute.networks.getRegionEffectiveFirewalls"
    ),
    r"/global/firewalls": "compute.firewalls.list",
    r"/global/firewallPolicies": "compute.firewallPolicies.list",
    r"/aggregated/instances": "compute.instances.list",
    r"/projects/[^/]+": "compute.projects.get",
    r"/projects/[^/]+/getXpnResources": "compute.projects.get",
    r"/v3/effectiveTags": "compute.instances.listEffectiveTags",
}


def test_every_call_is_in_the_documented_role() -> None:
    """On a site that gives cause for every call: policies and secure tags."""
    cloud = deployed(POLICIES)
    cloud.hosts[PROJECT], cloud.others["web-prod"] = ["web-prod"], {}
    whole = cloud.answer
    asked: set[tuple[str, str]] = set()

    def noted(method: str, path: str, query: object) -> Json:
        asked.add((method, path))
        return whole(method, path, query)  # type: ignore[arg-type]

    cloud.answer = noted  # type: ignore[method-assign]
    site = example(POLICIES).resolution.site
    with serving(cloud) as url:
        answers = READER.fetch(site, Access(endpoint_url=url), asides=True)
    assert answers.unread == ()
    assert {method for method, _ in asked} == {"GET"}
    made = {
        permission
        for _, path in asked
        for pattern, permission in PERMISSIONS.items()
        if re.search(f"{pattern}$", path)
    }
    assert all(any(re.search(f"{each}$", path) for each in PERMISSIONS) for _, path in asked)
    assert made == documented.gcp_permissions()


def test_nothing_is_imported_that_terraform_would_replace(cloud: GoogleCloud, url: str) -> None:
    """A rule for the other direction, and a name that a rule of another network has."""
    built = example()
    site = built.resolution.site
    turned = outer(cloud)
    turned["direction"] = "EGRESS"
    taken = outer(cloud, protocol="tcp")
    cloud.add_network("elsewhere")
    taken["network"] = taken["network"].rsplit("/", 1)[0] + "/elsewhere"
    answers = READER.fetch(site, Access(endpoint_url=url))
    found = READER.adoption(answers, built.policy, site, planned())
    said = " ".join(why for _, why in found.conflicts)
    assert len(found.conflicts) == 2
    assert f"{turned['name']} is for the other direction" in said
    assert f"network elsewhere has a rule of the name {taken['name']}" in said
    own = {address for address, _ in found.conflicts}
    assert not own & {*found.creates, *(each.to for each in found.imports)}


def test_a_network_takes_one_policy() -> None:
    built = example(POLICIES)
    site = built.resolution.site
    cloud = deployed(POLICIES)
    [first, *_] = cloud.policies.values()
    first["associations"][0]["name"] = "by-hand"
    with serving(cloud) as url:
        answers = READER.fetch(site, Access(endpoint_url=url), asides=True)
    adopted = READER.adoption(answers, built.policy, site, planned(POLICIES))
    [(address, why)] = adopted.conflicts
    assert address.startswith("google_compute_network_firewall_policy_association.")
    assert "as by-hand" in why
    assert address not in adopted.creates
    found = READER.preflight(answers, built.policy, site, planned(POLICIES))
    ids = [finding.id for finding in found.findings if finding.severity == "refusal"]
    assert ids == ["gcp/live-associated"]


def test_an_apply_without_its_network_would_fail(cloud: GoogleCloud, url: str) -> None:
    built = example()
    site = built.resolution.site
    del cloud.networks["dmz-net"]
    answers = READER.fetch(site, Access(endpoint_url=url), asides=True)
    found = READER.preflight(answers, built.policy, site, planned())
    assert [finding.id for finding in found.findings] == ["gcp/live-no-network"]
    assert found.findings[0].severity == "refusal"


def test_what_would_fail_half_way(cloud: GoogleCloud, url: str) -> None:
    built = example()
    site = built.resolution.site
    strip_marker(cloud)
    deny_before_ours(cloud)
    take_a_tag_off_a_machine(cloud)
    remove_rule(cloud)
    cloud.quotas[0]["usage"] = 100.0
    answers = READER.fetch(site, Access(endpoint_url=url), asides=True)
    found = READER.preflight(answers, built.policy, site, planned())
    assert {finding.id for finding in found.findings} >= {
        "gcp/live-exists",
        "gcp/live-before-ours",
        "gcp/live-no-target",
        "gcp/live-quota",
    }
    assert found.unread == ()


def test_a_fresh_place_is_ready() -> None:
    built = example()
    site = built.resolution.site
    with serving(empty()) as url:
        answers = READER.fetch(site, Access(endpoint_url=url), asides=True)
    found = READER.preflight(answers, built.policy, site, planned())
    assert (found.findings, found.unread) == ((), ())
    [usage] = found.usage
    assert usage.used == 4 + len(planned()["resource"]["google_compute_firewall"])
