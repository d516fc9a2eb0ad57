"""Network Watcher's IP flow verify: whether the rules at one card of a machine let a packet pass.

It takes TCP and UDP over IPv4 at a network interface of a virtual machine, in one direction, so a
packet between two cards of ours is two checks. Nothing is made and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.file.site import Site
from flowbridge.policy.audit.estate import Unread
from flowbridge.policy.questions.witness import Card, Witness
from flowbridge.providers.azure.live.answers import Answers, Part, Place, properties, same
from flowbridge.providers.azure.live.client import client_of
from flowbridge.providers.azure.live.faults import fault_of
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.examination import (
    Asked,
    Beside,
    Check,
    Examiner,
    Request,
    Unasked,
    Verdict,
)

_CALL: Final = "Microsoft.Network/networkWatchers/ipFlowVerify/action"


def checks(witness: Witness, site: Site, answers: Answers | None, _: Beside) -> Iterable[Asked]:
    """See `Examiner.checks`: one for each card of ours."""
    if witness.protocol not in (Protocol.TCP, Protocol.UDP) or witness.source.version != 4:
        yield Unasked(witness, "IP flow verify takes TCP and UDP over IPv4 alone")
        return
    sides = (
        ("Outbound", witness.source_card, witness.source_port, witness.destination, witness.port),
        ("Inbound", witness.destination_card, witness.port, witness.source, witness.source_port),
    )
    for direction, card, local, remote, remote_port in sides:
        if card is None:
            continue
        needs: list[str] = []
        nic, machine = _ids(card, site, answers, needs)
        body = {
            "targetResourceId": machine,
            "targetNicResourceId": nic,
            "direction": direction,
            "protocol": witness.protocol.label.upper(),
            "localIPAddress": str(card.private),
            "localPort": str(local),
            "remoteIPAddress": str(remote),
            "remotePort": str(remote_port),
        }
        yield Check(
            witness,
            f"{witness.name}-{direction.lower()}",
            f"{direction.lower()} at {card.interface}",
            (Request("ip-flow-verify", _CALL, body),),
            tuple(needs),
        )


def _ids(card: Card, site: Site, answers: Answers | None, needs: list[str]) -> tuple[str, str]:
    """The ids of the network interface and of its machine."""
    named = None
    if card.attachment is not None:
        named = Place.of(site, Access()).id_of("networkInterfaces", card.attachment)
    row = _row(card, named, answers)
    if row is None:
        if named is None:
            needs.append(f"the id of the network interface with {card.private}")
        needs.append(f"the id of the virtual machine with {card.private}")
        return named or f"<network interface with {card.private}>", f"<machine with {card.private}>"
    machine = (properties(row).get("virtualMachine") or {}).get("id")
    if not machine:
        needs.append(f"a virtual machine: {row.get('name')} is on none")
        return str(row["id"]), f"<machine with {card.private}>"
    return str(row["id"]), str(machine)


def _row(card: Card, named: str | None, answers: Answers | None) -> Row | None:
    for row in answers.parts.get(Part.CARDS, ()) if answers else ():
        if named is not None:
            if same(str(row.get("id")), named):
                return row
            continue
        for config in properties(row).get("ipConfigurations") or ():
            own = properties(config)
            subnet = str((own.get("subnet") or {}).get("id", "")).lower()
            here = any(subnet.startswith(f"{n.lower()}/") for n in answers.place.networks)  # type: ignore[union-attr]
            if here and own.get("privateIPAddress") == str(card.private):
                return row
    return None


def read(site: Site, access: Access) -> Beside:
    """The Network Watchers of the subscription."""
    place = Place.of(site, access)
    try:
        rows = [each.as_dict() for each in client_of(place, access).network_watchers.list_all()]
        return Beside(tuple(row for row in rows if same(_plain(row.get("location")), site.region)))
    except Exception as error:
        # Whatever the SDK raises is an answer of the place.
        fault = fault_of(error)
        call = "Microsoft.Network/networkWatchers/read"
        return Beside(
            unread=(
                Unread(
                    scope=place.scope,
                    call=call,
                    cause=fault.cause,
                    message=fault.message,
                    remedy=fault.remedy,
                ),
            )
        )


def _plain(region: Any) -> str:
    """`West Europe` is `westeurope`."""
    return str(region or "").replace(" ", "").lower()


def examine(site: Site, access: Access, asked: Sequence[Check]) -> Iterator[Verdict]:
    """See `Examiner.examine`."""
    place = Place.of(site, access)
    watchers = read(site, access)
    if not watchers.rows:
        why = "; ".join(map(str, watchers.unread)) or f"no Network Watcher is in {site.region}"
        yield from (Verdict(check, None, why) for check in asked)
        return
    parts = str(watchers.rows[0]["id"]).split("/")
    group, name = parts[4], parts[-1]
    for check in asked:
        try:
            watcher: Any = client_of(place, access).network_watchers
            packet = dict(check.requests[0].body)
            found = watcher.begin_verify_ip_flow(group, name, packet).result()
            access_said = str(found.access)
            passes = {"allow": True, "deny": False}.get(access_said.rsplit(".", 1)[-1].lower())
            yield Verdict(check, passes, str(found.rule_name or access_said))
        except Exception as error:
            fault = fault_of(error)
            yield Verdict(check, None, f"{fault.cause}: {fault.message}")


EXAMINER: Final[Examiner[Answers]] = Examiner(read, checks, examine)
