"""aerleon on the cases of `bench/policy.py`, run by the Python that has it.

    python bench/aerleon_peer.py compile POLICIES FILE [apart]
    python bench/aerleon_peer.py check
    python bench/aerleon_peer.py shade

Prints one JSON object. `compile` writes the GCE rules of the first policy to FILE. Policies are
given as data, so no time goes to reading files, and nothing is logged but what shading finds.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aerleon import api
from aerleon.lib import aclcheck, naming, policy, policy_builder
from policy_cases import OUTER, WORKLOAD, Case, flows, packets, planted


def definitions(cases: Iterable[Any]) -> Any:
    """The names of networks and ports that the terms use."""
    networks: dict[str, Any] = {}
    services: dict[str, Any] = {}
    for case in cases:
        networks[network_name(case)] = {"values": [{"address": text} for text in case.networks]}
        services[service_name(case)] = [
            {"protocol": case.protocol, "port": str(a) if a == b else f"{a}-{b}"}
            for a, b in case.ports
        ]
    names = naming.Naming()
    names.ParseDefinitionsObject({"networks": networks, "services": services}, "")
    return names


def network_name(case: Any) -> str:
    return (case.party if isinstance(case, Case) else f"of-{case.name}").upper()


def service_name(case: Any) -> str:
    ports = "-".join(f"{first}-{last}" for first, last in case.ports)
    return f"{case.protocol}-{ports}".upper()


def term(case: Any, target: str) -> dict[str, Any]:
    return {
        "name": case.name,
        "source-address": network_name(case),
        "destination-port": service_name(case),
        "protocol": case.protocol,
        "destination-tag": target,
        "action": "accept",
    }


def filters(terms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What `terms` let in, and denies for the rest, for both directions and IP versions."""

    def one(options: str, listed: list[dict[str, Any]]) -> dict[str, Any]:
        name = f"deny-{options.replace(' ', '-').lower()}"
        last = {"name": name, "action": "deny"}
        return {"header": {"targets": {"gce": f"bench {options}"}}, "terms": [*listed, last]}

    ways = ("INGRESS inet6", "EGRESS inet", "EGRESS inet6")
    return [one("INGRESS inet", terms), *(one(way, []) for way in ways)]


def of_policy(number: int, *, apart: bool) -> tuple[dict[str, Any], Any]:
    cases = list(flows(number, apart=apart))
    terms = [term(case, OUTER) for case in cases]
    return {"filename": f"policy-{number}", "filters": filters(terms)}, definitions(cases)


def compile_all(count: int, target: Path, *, apart: bool) -> dict[str, Any]:
    rules = 0
    for number in range(count):
        given, names = of_policy(number, apart=apart)
        configs = api.Generate([given], names)
        text = configs[f"policy-{number}.gce"]
        if number == 0:
            target.write_text(text, "utf-8")
            rules = len(json.loads(text))
    return {"rules": rules}


def check_all(count: int) -> dict[str, Any]:
    """aclcheck of each packet against the parsed policy; parsing is not counted."""
    given, names = of_policy(0, apart=False)
    # aclcheck asks for the first filter only if it is the only one.
    alone = {"filename": given["filename"], "filters": given["filters"][:1]}
    parsed = policy.FromBuilder(policy_builder.PolicyBuilder(alone, names))
    asked = packets(count)
    answers: list[bool] = []
    started = time.process_time()
    for source, protocol, source_port, port in asked:
        found = aclcheck.AclCheck(
            parsed,
            src=source,
            dst=WORKLOAD[0],
            sport=source_port,
            dport=port,
            proto=protocol,
        )
        matches = found.ExactMatches()
        answers.append(bool(matches) and matches[0].action == "accept")
    return {"cpu": time.process_time() - started, "answers": answers}


class _Shaded(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if " is shaded by " in message:
            self.names.append(message.split(" is shaded by ")[0])


def shade() -> dict[str, Any]:
    """The terms that aerleon's shade check calls shaded."""
    cases = planted()
    terms = [term(case, case.target) for case in cases]
    shaded = _Shaded()
    logging.getLogger().addHandler(shaded)
    given = {"filename": "planted", "filters": filters(terms)[:1]}
    policy.FromBuilder(
        policy_builder.PolicyBuilder(given, definitions(cases), optimize=True, shade_check=True)
    )
    return {"found": sorted(set(shaded.names))}


def main(task: str, *arguments: str) -> dict[str, Any]:
    if task == "shade":
        return shade()
    logging.disable(logging.CRITICAL)
    if task == "check":
        return check_all(int(arguments[0]))
    return compile_all(int(arguments[0]), Path(arguments[1]), apart="apart" in arguments)


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
