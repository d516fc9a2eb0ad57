"""A stand-in for the compute API of Google Cloud: state, pages, fingerprints, error bodies.

It answers what the API answers for the calls that a reader makes, from resources that it keeps,
over real HTTP. Faults are put in front of the answers by the tests.
"""

from __future__ import annotations

import copy
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flowbridge.providers.terraform.blocks import Reference

Json = dict[str, Any]

PROJECT = "uc-edge-prod"
ROOT = f"https://www.googleapis.com/compute/v1/projects/{PROJECT}"
ZONE = "europe-west1-b"


class Refusal(Exception):  # noqa: N818
    """An error answer."""

    def __init__(self, status: int, reason: str, message: str, **headers: str) -> None:
        self.status, self.headers = status, headers
        errors = [{"domain": "global", "reason": reason, "message": message}]
        self.body = {"error": {"code": status, "message": message, "errors": errors}}
        super().__init__(message)


# Given the path of a request: raises Refusal, cuts the answer, or lets it pass (None).
Fault = Callable[[str], str | None]


class GoogleCloud:
    """The resources of one project, by name."""

    def __init__(self, page_size: int = 5) -> None:
        self.page_size = page_size
        self.networks: dict[str, Json] = {}
        self.firewalls: dict[str, Json] = {}
        self.instances: dict[str, Json] = {}
        self.policies: dict[str, Json] = {}
        self.hierarchical: list[Json] = []
        self.regional: list[Json] = []
        # Instances of other projects, by project and name; the projects that share a network.
        self.others: dict[str, dict[str, Json]] = {}
        self.hosts: dict[str, list[str]] = {}
        self.secure_tags: dict[str, list[str]] = {}  # by instance name
        self.tag_names: dict[str, Json] = {}  # what effective tags say beside the value
        self.quotas: list[Json] = [{"metric": "FIREWALLS", "limit": 100.0, "usage": 4.0}]
        # Connectivity Tests that are there, and what they say of one.
        self.tests: dict[str, Json] = {}
        self.tested: list[Json] = []
        self.reach: Callable[[Json], str] = lambda _: "REACHABLE"
        self.fault: Fault = lambda _: None
        self.calls: Counter[str] = Counter()
        self.sent: list[tuple[str, str, str | None]] = []  # method, path, Authorization

    # What a person does in the console.

    def add_network(self, name: str) -> None:
        self.networks[name] = {
            "kind": "compute#network",
            "name": name,
            "selfLink": f"{ROOT}/global/networks/{name}",
            "networkFirewallPolicyEnforcementOrder": "AFTER_CLASSIC_FIREWALL",
        }

    def add_instance(self, name: str, *cards: tuple[str, str, str | None], tags: Any = ()) -> None:
        """`cards` are network, address and public address."""
        self.instances[name] = {
            "kind": "compute#instance",
            "id": str(4_000_000 + len(self.instances)),
            "name": name,
            "zone": f"{ROOT}/zones/{ZONE}",
            "selfLink": f"{ROOT}/zones/{ZONE}/instances/{name}",
            "status": "RUNNING",
            "tags": {"items": list(tags), "fingerprint": "6smc4R4d39I="},
            "serviceAccounts": [{"email": f"{name}@{PROJECT}.iam.gserviceaccount.com"}],
            "networkInterfaces": [
                {
                    "kind": "compute#networkInterface",
                    "name": f"nic{number}",
                    "network": f"{ROOT}/global/networks/{network}",
                    "networkIP": address,
                    "accessConfigs": [{"natIP": public, "type": "ONE_TO_ONE_NAT"}]
                    if public
                    else [],
                }
                for number, (network, address, public) in enumerate(cards)
            ],
        }

    def tags(self, instance: str) -> list[str]:
        found: list[str] = self.instances[instance]["tags"]["items"]
        return found

    def add_firewall(self, name: str, network: str, **fields: Any) -> Json:
        self.firewalls[name] = {
            "kind": "compute#firewall",
            "name": name,
            "network": f"{ROOT}/global/networks/{network}",
            "selfLink": f"{ROOT}/global/firewalls/{name}",
            "direction": "INGRESS",
            "priority": 1000,
            "disabled": False,
            "logConfig": {"enable": False},
            **fields,
        }
        return self.firewalls[name]

    # What the API does.

    def answer(self, method: str, path: str, query: Mapping[str, list[str]]) -> Json:
        if method != "GET":
            raise Refusal(403, "forbidden", f"{method} is not for readers")
        if path == "/v3/effectiveTags":
            machine = query["parent"][0].rsplit("/", 1)[-1]
            every = {n: row for rows in self.others.values() for n, row in rows.items()}
            every |= self.instances
            [name] = [n for n, row in every.items() if row["id"] == machine]
            own = self.secure_tags.get(name, [])
            return {"effectiveTags": [{"tagValue": t, **self.tag_names.get(t, {})} for t in own]}
        parts = path.removeprefix("/compute/v1/").split("/")
        if parts[:1] == ["projects"] and parts[1] in {*self.hosts, *self.others} - {PROJECT}:
            return self._other_project(parts[1], parts[2:], query)
        if parts[:2] != ["projects", PROJECT]:
            raise Refusal(404, "notFound", f"The resource {path!r} was not found")
        return self._own_project(parts[2:], path, query)

    def manage(self, method: str, path: str, query: Mapping[str, list[str]], body: Json) -> Json:
        """The Network Management API: tests are made, looked at and deleted."""
        name = path.removeprefix("/v1/")
        if method == "POST":
            made = f"{name}/{query['testId'][0]}"
            traces = [{"steps": [{"description": "Firewall rule x decides"}]}]
            details = {"result": self.reach(body), "traces": traces}
            self.tests[made] = {**body, "name": made, "reachabilityDetails": details}
            self.tested.append(body)
            return {"name": f"{name.rsplit('/', 1)[0]}/operations/1", "done": True}
        if name not in self.tests:
            raise Refusal(404, "notFound", f"The resource {path!r} was not found")
        if method == "DELETE":
            del self.tests[name]
            return {"name": "operations/2", "done": True}
        return self.tests[name]

    def _own_project(self, rest: list[str], path: str, query: Mapping[str, list[str]]) -> Json:
        match rest:
            case []:
                return self._project(PROJECT)
            case ["getXpnResources"]:
                return self._sharing(PROJECT)
            case ["global", "networks", name] if name in self.networks:
                return self.networks[name]
            case ["global", "networks", name, "getEffectiveFirewalls"] if name in self.networks:
                link = f"{ROOT}/global/networks/{name}"
                return {
                    "firewalls": [row for row in self.firewalls.values() if row["network"] == link],
                    "firewallPolicys": [*self.hierarchical, *self._attached(name)],
                }
            case ["regions", _, "firewallPolicies", "getEffectiveFirewalls"]:
                link = query["network"][0]
                if not link.startswith("https://"):
                    raise Refusal(400, "invalid", f"Invalid value for field 'network': {link!r}.")
                name = link.rsplit("/", 1)[-1]
                return {
                    "firewallPolicys": [*self.hierarchical, *self._attached(name), *self.regional]
                }
            case ["global", "firewalls"]:
                return self._page("compute#firewallList", self.firewalls, query)
            case ["global", "firewallPolicies"]:
                return self._page("compute#firewallPolicyList", self.policies, query)
            case ["aggregated", "instances"]:
                page = self._page("compute#instanceAggregatedList", self.instances, query)
                zones = {
                    f"zones/{ZONE}": {"instances": page.get("items", [])},
                    "zones/europe-west1-c": {
                        "warning": {"code": "NO_RESULTS_ON_PAGE", "message": "None."}
                    },
                }
                return {**page, "items": zones}
        raise Refusal(404, "notFound", f"The resource {path!r} was not found")

    def _project(self, name: str) -> Json:
        shared = {"xpnProjectStatus": "HOST"} if name in self.hosts else {}
        number = str(123456789 + sorted({PROJECT, *self.hosts, *self.others}).index(name))
        own = {"id": "123456789" if name == PROJECT else number, "name": name}
        return {"kind": "compute#project", **own, "quotas": self.quotas, **shared}

    def _sharing(self, name: str) -> Json:
        users = [{"id": user, "type": "PROJECT"} for user in self.hosts.get(name, ())]
        return {"kind": "compute#projectsGetXpnResources", "resources": users}

    def _other_project(self, name: str, rest: list[str], query: Mapping[str, list[str]]) -> Json:
        match rest:
            case []:
                return self._project(name)
            case ["getXpnResources"]:
                return self._sharing(name)
            case ["aggregated", "instances"]:
                rows = self.others.get(name, {})
                page = self._page("compute#instanceAggregatedList", rows, query)
                return {**page, "items": {f"zones/{ZONE}": {"instances": page.get("items", [])}}}
        # A host project has the networks and rules that this one keeps.
        own = "/".join(("/compute/v1/projects", PROJECT, *rest))
        text = json.dumps(self.answer("GET", own, query))
        answered: Json = json.loads(
            text.replace(f"projects/{PROJECT}/global", f"projects/{name}/global")
        )
        return answered

    def _attached(self, network: str) -> list[Json]:
        link = f"/global/networks/{network}"
        return [
            {
                "name": policy["name"],
                "shortName": policy["name"],
                "type": "NETWORK",
                "rules": policy["rules"],
            }
            for policy in self.policies.values()
            if any(each["attachmentTarget"].endswith(link) for each in policy["associations"])
        ]

    def _page(self, kind: str, rows: Mapping[str, Json], query: Mapping[str, list[str]]) -> Json:
        names = sorted(rows)
        first = int(query.get("pageToken", ["0"])[0])
        following = first + self.page_size
        body: Json = {"kind": kind, "items": [rows[n] for n in names[first:following]]}
        if following < len(names):
            body["nextPageToken"] = str(following)
        if not body["items"]:
            del body["items"]  # the API leaves empty lists out
        return copy.deepcopy(body)


@contextmanager
def serving(cloud: GoogleCloud) -> Iterator[str]:
    """The URL under which `cloud` answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            self._do("GET")

        def do_POST(self) -> None:
            self._do("POST")

        def do_DELETE(self) -> None:
            self._do("DELETE")

        def _do(self, method: str) -> None:
            url = urlsplit(self.path)
            cloud.calls[url.path.rsplit("/", 1)[-1]] += 1
            cloud.sent.append((method, url.path, self.headers.get("Authorization")))
            sent = json.loads(
                self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}"
            )
            status, headers, cut = 200, {}, None
            try:
                cut = cloud.fault(url.path)
                asked = parse_qs(url.query)
                body: Json = (
                    cloud.manage(method, url.path, asked, sent)
                    if "/connectivityTests" in url.path
                    else cloud.answer(method, url.path, asked)
                )
            except Refusal as refusal:
                status, body, headers = refusal.status, refusal.body, refusal.headers
            if cut == "reset":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            data = json.dumps(body).encode()
            data = {"html": b"<html>proxy error</html>", "empty": b"{}"}.get(cut or "", data)
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if cut == "short" else data)
            if cut == "short":
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def slow(seconds: float) -> Fault:
    def fault(_: str) -> None:
        time.sleep(seconds)

    return fault


# From Terraform JSON to resources.

_LISTS = {
    "source_ranges": "sourceRanges",
    "destination_ranges": "destinationRanges",
    "target_tags": "targetTags",
    "target_service_accounts": "targetServiceAccounts",
}


def apply_terraform(cloud: GoogleCloud, document: Mapping[str, Any]) -> None:
    """What the google provider would make of `document` in `cloud`."""
    made = document["resource"]
    for body in made.get("google_compute_firewall", {}).values():
        cloud.add_firewall(
            body["name"],
            body["network"].rsplit("/", 1)[-1],
            description=body["description"],
            direction=body["direction"],
            priority=body["priority"],
            **{theirs: list(body[ours]) for ours, theirs in _LISTS.items() if ours in body},
            **{
                theirs: [{"IPProtocol": each["protocol"], **_ports(each)} for each in body[ours]]
                for ours, theirs in (("allow", "allowed"), ("deny", "denied"))
                if ours in body
            },
        )
    values = made.get("google_tags_tag_value", {})
    numbers = {name: f"tagValues/{2000 + n}" for n, name in enumerate(sorted(values))}
    keys = made.get("google_tags_tag_key", {})
    for name, body in values.items():
        reference = Reference.parse(body["parent"])
        assert reference is not None
        key = keys[reference.name]["short_name"]
        cloud.tag_names[numbers[name]] = {
            "namespacedTagValue": f"{PROJECT}/{key}/{body['short_name']}",
            "tagKey": f"tagKeys/{1000 + sorted(keys).index(reference.name)}",
            "namespacedTagKey": f"{PROJECT}/{key}",
        }
        for instance, row in cloud.instances.items():
            if body["short_name"] in row["tags"]["items"]:
                cloud.secure_tags.setdefault(instance, []).append(numbers[name])
    kind = "google_compute_network_firewall_policy"
    for name, body in made.get(f"{kind}_with_rules", {}).items():
        association = made[f"{kind}_association"][name]
        cloud.policies[body["name"]] = {
            "kind": "compute#firewallPolicy",
            "name": body["name"],
            "fingerprint": "aGVsbG8=",
            "rules": [
                *(_policy_rule(rule, numbers) for rule in body["rule"]),
                {
                    "priority": 2147483647,
                    "action": "goto_next",
                    "direction": "INGRESS",
                    "match": {
                        "srcIpRanges": ["0.0.0.0/0", "::/0"],
                        "layer4Configs": [{"ipProtocol": "all"}],
                    },
                },
            ],
            "associations": [
                {"name": association["name"], "attachmentTarget": association["attachment_target"]}
            ],
        }


def _ports(layer: Mapping[str, Any]) -> Json:
    return {"ports": list(layer["ports"])} if "ports" in layer else {}


def _policy_rule(rule: Mapping[str, Any], numbers: Mapping[str, str]) -> Json:
    [match] = rule["match"]
    body: Json = {
        "kind": "compute#firewallPolicyRule",
        "priority": rule["priority"],
        "ruleName": rule["rule_name"],
        "description": rule["description"],
        "direction": rule["direction"],
        "action": rule["action"],
        "disabled": False,
        "match": {
            "layer4Configs": [
                {"ipProtocol": each["ip_protocol"], **_ports(each)}
                for each in match["layer4_config"]
            ],
            **{
                theirs: list(match[ours])
                for ours, theirs in (
                    ("src_ip_ranges", "srcIpRanges"),
                    ("dest_ip_ranges", "destIpRanges"),
                )
                if ours in match
            },
        },
    }
    if tags := rule.get("target_secure_tag"):
        references = [Reference.parse(tag["name"]) for tag in tags]
        body["targetSecureTags"] = [
            {"name": numbers[each.name], "state": "EFFECTIVE"} for each in references if each
        ]
    return body
