"""Connectivity Tests: witnesses as tests of the Network Management API.

A test names its ends by address and network, so it is ready without anything read of the cloud. A
source port is none of its inputs. A test is a resource: it is deleted once it has answered.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.clouds.gcp import network_of
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface
from flowbridge.policy.packets.packet import Address
from flowbridge.policy.questions.witness import Card, Witness
from flowbridge.providers.gcp.live.answers import Answers, Place, network_parts
from flowbridge.providers.gcp.live.client import writing_session
from flowbridge.providers.gcp.live.faults import fault_of
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.examination import (
    WHOLE,
    Asked,
    Beside,
    Check,
    Examiner,
    Request,
    Unasked,
    Verdict,
)

_CALL: Final = "networkmanagement.connectivitytests.create"
_SERVER: Final = "https://networkmanagement.googleapis.com"
_PROTOCOLS: Final = {
    Protocol.TCP: "TCP",
    Protocol.UDP: "UDP",
    Protocol.ICMP: "ICMP",
    Protocol.ESP: "ESP",
    Protocol.AH: "AH",
}
_PAUSE: Final = 1.0


def checks(witness: Witness, site: Site, _: Answers | None, __: Beside) -> Iterable[Asked]:
    """See `Examiner.checks`."""
    protocol = _PROTOCOLS.get(witness.protocol)
    if protocol is None:
        yield Unasked(witness, f"Connectivity Tests take no {witness.protocol.label}")
        return
    project = Place.of(site, Access()).project
    source = _end(witness.source_card, witness.source, site, project, inside=False)
    inside = witness.source_card is not None or not witness.source.is_global
    destination = _end(witness.destination_card, witness.destination, site, project, inside=inside)
    if witness.protocol.has_ports:
        destination["port"] = witness.port
    if witness.source_card is None:
        source["networkType"] = "NON_GCP_NETWORK"
    body = {
        "source": source,
        "destination": destination,
        "protocol": protocol,
        "description": f"{site.name}: {witness.rows[0]}",
        "labels": {"flowbridge-site": site.name},
    }
    yield Check(witness, witness.name, WHOLE, (Request("connectivity-test", _CALL, body),))


def _end(
    card: Card | None, address: Address, site: Site, project: str, *, inside: bool
) -> dict[str, Any]:
    """An end as the API spells it. From outside a card is reached by its public address."""
    if card is None:
        return {"ipAddress": str(address), "projectId": project}
    if card.public is not None and (not inside or address == card.public):
        return {"ipAddress": str(card.public), "projectId": project}
    interface = Interface(
        workload=card.interface.split("/", 1)[0], name=card.name, tier=card.tier, members=()
    )
    host, network = network_parts(network_of(site, interface) or "", project)
    return {
        "ipAddress": str(card.private),
        "network": f"projects/{host}/global/networks/{network}",
        "projectId": project,
    }


def read(_: Site, __: Access) -> Beside:
    """Nothing beside."""
    return Beside()


def examine(site: Site, access: Access, asked: Sequence[Check]) -> Iterator[Verdict]:
    """See `Examiner.examine`: one test after the other."""
    place = Place.of(site, access)
    parent = f"projects/{place.project}/locations/global"
    for check in asked:
        try:
            session, server = writing_session(place, _SERVER)
            yield _examined(_Calls(session, server, access), parent, check)
        except Exception as error:
            # Whatever the SDK raises is an answer of the place.
            fault = fault_of(error)
            yield Verdict(check, None, f"{fault.cause}: {fault.message}")


class _Calls:
    """Requests to the API, each with its time, all within the deadline."""

    def __init__(self, session: Any, server: str, access: Access) -> None:
        self._session, self._server, self._timeout = session, server, access.read_timeout
        self._end = time.monotonic() + access.deadline

    def __call__(self, method: str, path: str, **more: Any) -> Any:
        from google.api_core.exceptions import from_http_response

        url = f"{self._server}/v1/{path}"
        answer = self._session.request(method, url, timeout=self._timeout, **more)
        if answer.status_code >= 400:
            raise from_http_response(answer)  # type: ignore[no-untyped-call]
        return answer.json()

    def done(self, operation: Mapping[str, Any]) -> Mapping[str, Any]:
        """The operation once it ended. TimeoutError, and ValueError for one that failed."""
        while not operation.get("done"):
            if time.monotonic() > self._end:
                raise TimeoutError("the test did not end in time")
            time.sleep(_PAUSE)
            operation = self("GET", str(operation["name"]))
        if error := operation.get("error"):
            raise ValueError(str(error.get("message")))
        return operation


def _examined(call: _Calls, parent: str, check: Check) -> Verdict:
    name = f"flowbridge-{check.name}"[:40].rstrip("-").lower()
    created = f"{parent}/connectivityTests/{name}"
    operation = call(
        "POST",
        f"{parent}/connectivityTests",
        params={"testId": name},
        json=dict(check.requests[0].body),
    )
    try:
        call.done(operation)
        details = call("GET", created).get("reachabilityDetails") or {}
        return _verdict(check, details)
    finally:
        call("DELETE", created)


def _verdict(check: Check, details: Mapping[str, Any]) -> Verdict:
    result = str(details.get("result") or "UNDETERMINED")
    passes = {"REACHABLE": True, "UNREACHABLE": False}.get(result)
    why = "; ".join(dict.fromkeys(_told(details))) or result
    return Verdict(check, passes, why)


def _told(details: Mapping[str, Any]) -> Iterator[str]:
    """What the last step of each trace says."""
    for trace in details.get("traces") or ():
        steps = trace.get("steps") or ()
        if steps:
            yield str(steps[-1].get("description") or steps[-1].get("state"))
    if error := (details.get("error") or {}).get("message"):
        yield str(error)


EXAMINER: Final[Examiner[Answers]] = Examiner(read, checks, examine)
