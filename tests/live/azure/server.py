"""A stand-in for the network resource provider of Azure: state, pages, tags, error bodies.

It answers what Azure Resource Manager answers for the calls that a reader makes, from resources
that it keeps, over real HTTP. Faults are put in front of the answers by the tests.
"""

from __future__ import annotations

import copy
import json
import re
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

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/uc-network"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
_LISTS = {
    "networkSecurityGroups",
    "networkInterfaces",
    "applicationSecurityGroups",
    "publicIPAddresses",
}


class Refusal(Exception):  # noqa: N818
    """An error answer."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        self.status, self.headers = status, headers
        self.body = {"error": {"code": code, "message": message}}
        super().__init__(message)


# Given the path of a request: raises Refusal, cuts the answer, or lets it pass (None).
Fault = Callable[[str], str | None]


class AzureCloud:
    """The resources of one subscription by kind and name, all in one resource group."""

    def __init__(self, page_size: int = 2) -> None:
        self.page_size = page_size
        self.resources: dict[str, dict[str, Json]] = {kind: {} for kind in _LISTS}
        self.networks: dict[str, Json] = {}
        self.admin_rules: list[Json] = []
        # What IP flow verify says of a packet: access and the name of the rule.
        self.verify: Callable[[Json], tuple[str, str]] = lambda _: ("Allow", "securityRules/x")
        self.verified: list[Json] = []
        self.body: Json = {}  # of the request that is answered
        self.usages: list[Json] = []
        self.fault: Fault = lambda _: None
        self.calls: Counter[str] = Counter()
        self.sent: list[tuple[str, str, str | None]] = []  # method, path, Authorization

    # What a person does in the portal.

    def nsg(self, name: str) -> Json:
        return self.resources["networkSecurityGroups"][name]

    def rules(self, nsg: str) -> list[Json]:
        found: list[Json] = self.nsg(nsg)["properties"]["securityRules"]
        return found

    def add_rule(self, nsg: str, name: str, **properties: Any) -> None:
        own = {
            "protocol": "Tcp",
            "sourcePortRange": "*",
            "destinationPortRange": "*",
            "sourceAddressPrefix": "*",
            "destinationAddressPrefix": "*",
            "access": "Allow",
            "direction": "Inbound",
            **properties,
        }
        self.rules(nsg).append({"name": name, "id": f"{NETWORK}/x/{name}", "properties": own})

    def card(self, name: str) -> Json:
        return self.resources["networkInterfaces"][name]

    def subnet(self, name: str) -> Json:
        [network] = self.networks.values()
        found: Json
        [found] = [s for s in network["properties"]["subnets"] if s["name"] == name]
        return found

    def attach(self, subnet: str, nsg: str | None) -> None:
        own = self.subnet(subnet)["properties"]
        own.pop("networkSecurityGroup", None)
        if nsg is not None:
            own["networkSecurityGroup"] = {"id": self.nsg(nsg)["id"]}

    # What Azure Resource Manager does.

    def answer(self, method: str, path: str, query: Mapping[str, list[str]], at: str) -> Json:
        parts = [part for part in path.split("/") if part]
        if parts[:2] != ["subscriptions", SUBSCRIPTION]:
            raise Refusal(404, "SubscriptionNotFound", "The subscription could not be found.")
        groups = ("uc-network", "NetworkWatcherRG")
        if "resourceGroups" in parts and parts[3] not in groups:
            raise Refusal(404, "ResourceGroupNotFound", f"Resource group {parts[3]!r} not found.")
        last = parts[-1]
        if last == "listNetworkManagerEffectiveSecurityAdminRules":
            if method != "POST":
                raise Refusal(405, "MethodNotAllowed", "POST it.")
            return {"value": copy.deepcopy(self.admin_rules)}
        if last == "networkWatchers":
            watcher = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/NetworkWatcherRG"
            name = "NetworkWatcher_westeurope"
            where = f"{watcher}/providers/Microsoft.Network/networkWatchers/{name}"
            return {"value": [{"id": where, "name": name, "location": "westeurope"}]}
        if last == "ipFlowVerify" and method == "POST":
            self.verified.append(self.body)
            said, rule = self.verify(self.body)
            return {"access": said, "ruleName": rule}
        if method != "GET":
            raise Refusal(403, "AuthorizationFailed", f"{method} is not for readers")
        if last == "usages":
            return {"value": self.usages}
        if last in _LISTS:
            return self._page(last, path, query, at)
        if parts[-2] == "virtualNetworks" and last in self.networks:
            return self._with_backlinks(self.networks[last])
        raise Refusal(404, "ResourceNotFound", f"The Resource {path!r} was not found.")

    def _page(self, kind: str, path: str, query: Mapping[str, list[str]], at: str) -> Json:
        rows = sorted(self.resources[kind].values(), key=lambda row: row["name"])
        first = int(query.get("$skipToken", ["0"])[0])
        following = first + self.page_size
        body: Json = {
            "value": [self._with_backlinks(row) for row in rows[first:following]],
        }
        if following < len(rows):
            version = query["api-version"][0]
            body["nextLink"] = f"{at}{path}?api-version={version}&$skipToken={following}"
        return body

    def _with_backlinks(self, row: Json) -> Json:
        """The references that Azure keeps from the other side."""
        row = copy.deepcopy(row)
        own = row["properties"]
        if "/virtualNetworks/" in row["id"]:
            for subnet in own["subnets"]:
                subnet["properties"]["ipConfigurations"] = [
                    {"id": config["id"]}
                    for card in self.resources["networkInterfaces"].values()
                    for config in card["properties"]["ipConfigurations"]
                    if config["properties"]["subnet"]["id"] == subnet["id"]
                ]
        if "/networkSecurityGroups/" in row["id"]:
            own["subnets"] = [
                {"id": subnet["id"]}
                for network in self.networks.values()
                for subnet in network["properties"]["subnets"]
                if (subnet["properties"].get("networkSecurityGroup") or {}).get("id") == row["id"]
            ]
            own["networkInterfaces"] = [
                {"id": card["id"]}
                for card in self.resources["networkInterfaces"].values()
                if (card["properties"].get("networkSecurityGroup") or {}).get("id") == row["id"]
            ]
        return row


@contextmanager
def serving(cloud: AzureCloud) -> Iterator[str]:
    """The URL under which `cloud` answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            self._do("GET")

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._do("POST", json.loads(sent or b"{}"))

        def _do(self, method: str, sent: Json | None = None) -> None:
            url = urlsplit(self.path)
            cloud.calls[url.path.rsplit("/", 1)[-1]] += 1
            cloud.sent.append((method, url.path, self.headers.get("Authorization")))
            cloud.body = sent or {}
            status, headers, cut = 200, {}, None
            try:
                cut = cloud.fault(url.path)
                at = f"http://{self.headers['Host']}"
                body: Json = cloud.answer(method, url.path, parse_qs(url.query), at)
            except Refusal as refusal:
                status, body, headers = refusal.status, refusal.body, refusal.headers
            data = json.dumps(body).encode()
            if cut == "reset":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if cut == "html":
                data = b"<html>proxy error</html>"
            if cut == "no-value":
                data = b"{}"
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
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
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

_CAMEL = re.compile(r"_([a-z])")
_CASES = {"security_rule": "securityRules"}


def apply_terraform(cloud: AzureCloud, document: Mapping[str, Any]) -> None:
    """What the azurerm provider would make of `document` in `cloud`."""
    made = document["resource"]
    ids: dict[str, str] = {}
    for kind, where in (
        ("azurerm_application_security_group", "applicationSecurityGroups"),
        ("azurerm_network_security_group", "networkSecurityGroups"),
    ):
        for name, body in made.get(kind, {}).items():
            resource = f"{NETWORK}/{where}/{body['name']}"
            ids[f"{kind}.{name}"] = resource
            cloud.resources[where][body["name"]] = {
                "id": resource,
                "name": body["name"],
                "type": f"Microsoft.Network/{where}",
                "location": body["location"],
                "tags": dict(body["tags"]),
                "etag": 'W/"1"',
                "properties": {"provisioningState": "Succeeded"},
            }

    def resolved(value: str) -> str:
        reference = Reference.parse(value)
        return ids[reference.address] if reference else value

    for body in made["azurerm_network_security_group"].values():
        own = cloud.nsg(body["name"])["properties"]
        own["securityRules"] = [
            {
                "name": rule["name"],
                "id": f"{cloud.nsg(body['name'])['id']}/securityRules/{rule['name']}",
                "properties": _rule(rule, resolved),
            }
            for rule in body["security_rule"]
        ]
        own["defaultSecurityRules"] = []
    for body in made.get("azurerm_subnet_network_security_group_association", {}).values():
        name = body["subnet_id"].rsplit("/", 1)[-1]
        nsg = resolved(body["network_security_group_id"])
        cloud.subnet(name)["properties"]["networkSecurityGroup"] = {"id": nsg}
    kind = "azurerm_network_interface_application_security_group_association"
    for body in made.get(kind, {}).values():
        card = cloud.card(body["network_interface_id"].rsplit("/", 1)[-1])
        group = {"id": resolved(body["application_security_group_id"])}
        for config in card["properties"]["ipConfigurations"]:
            config["properties"].setdefault("applicationSecurityGroups", []).append(group)


def _rule(rule: Mapping[str, Any], resolved: Callable[[str], str]) -> Json:
    own: Json = {"provisioningState": "Succeeded"}
    for key, value in rule.items():
        if value is None or key == "name":
            continue
        if key.endswith("application_security_group_ids"):
            end = key.split("_", 1)[0]
            own[f"{end}ApplicationSecurityGroups"] = [{"id": resolved(each)} for each in value]
        else:
            own[_CAMEL.sub(lambda found: found[1].upper(), key)] = value
    for end in ("source", "destination"):
        # Azure answers with empty lists beside single values.
        own.setdefault(f"{end}AddressPrefixes", [])
        own.setdefault(f"{end}PortRanges", [])
    return own


def add_network(cloud: AzureCloud, name: str, subnets: Mapping[str, str]) -> None:
    identity = f"{NETWORK}/virtualNetworks/{name}"
    cloud.networks[name] = {
        "id": identity,
        "name": name,
        "location": "westeurope",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [
                {
                    "id": f"{identity}/subnets/{subnet}",
                    "name": subnet,
                    "properties": {"addressPrefix": cidr},
                }
                for subnet, cidr in subnets.items()
            ],
            "virtualNetworkPeerings": [],
        },
    }


def add_card(
    cloud: AzureCloud, name: str, subnet: str, address: str, public: str | None = None
) -> None:
    identity = f"{NETWORK}/networkInterfaces/{name}"
    config: Json = {
        "privateIPAddress": address,
        "subnet": {"id": cloud.subnet(subnet)["id"]},
        "primary": True,
    }
    if public is not None:
        own = f"{NETWORK}/publicIPAddresses/{name}-ip"
        config["publicIPAddress"] = {"id": own}
        cloud.resources["publicIPAddresses"][f"{name}-ip"] = {
            "id": own,
            "name": f"{name}-ip",
            "location": "westeurope",
            "properties": {"ipAddress": public},
        }
    cloud.resources["networkInterfaces"][name] = {
        "id": identity,
        "name": name,
        "location": "westeurope",
        "properties": {
            "ipConfigurations": [
                {
                    "id": f"{identity}/ipConfigurations/ipconfig1",
                    "name": "ipconfig1",
                    "properties": config,
                }
            ]
        },
    }
