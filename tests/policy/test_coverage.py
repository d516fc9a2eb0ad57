"""How much gets through, in words: all, none, or all but what."""

from __future__ import annotations

from ipaddress import ip_network

from flowbridge.catalog.ports import ANY_PORT, PortRange
from flowbridge.policy.packets.packet_set import EMPTY, PacketSet
from flowbridge.policy.questions.coverage import covered, of_set, served
from flowbridge.policy.questions.reach import Part

NET = (ip_network("10.0.0.0/24"),)


def packets(ports: str, sources: str = "any", peers: str = "10.0.0.0/24") -> PacketSet:
    spans = (PortRange.parse(sources),), (PortRange.parse(ports),)
    return PacketSet.of([ip_network(peers)], 6, *spans)


def test_only_what_differs_is_named() -> None:
    asked = packets("5060-5070")
    assert of_set(asked, asked) == "all"
    assert of_set(asked, EMPTY) == "none"
    assert of_set(asked, packets("5060-5070", "1024-65535")) == "all but source ports 0-1023"
    assert of_set(asked, packets("5060-5061")) == "only ports 5060-5061"
    few = packets("5060-5070", peers="10.0.0.8/29")
    assert of_set(asked, few) == "only addresses 10.0.0.8/29"
    both = packets("5060-5061", "1024-65535")
    assert of_set(asked, both) == "only ports 5060-5061 with source ports 1024-65535"


def test_parts_that_differ_are_named() -> None:
    asked = packets("443")
    one, other = ((ip_network(f"10.1.0.{last}"),) for last in (1, 2))
    parts = [Part(one, True, asked, asked, asked), Part(other, True, asked, EMPTY, EMPTY)]
    assert covered(parts) == "to 10.1.0.1: all; to 10.1.0.2: none"
    assert not served(parts, any_source_port=True)


def test_an_address_is_served_from_some_source_port() -> None:
    asked, through = packets("443"), packets("443", "1024-65535")
    (part,) = [Part(NET, True, asked, through, through)]
    assert served([part], any_source_port=True)
    assert not served([part], any_source_port=False)
    assert ANY_PORT.first == 0
