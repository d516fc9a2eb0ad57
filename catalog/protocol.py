"""IP protocols by number; a printed TLS, MTLS or HTTPS is TCP (Expressway guide, chapter 1)."""

from __future__ import annotations

from enum import IntEnum


class Protocol(IntEnum):
    """The IP protocol numbers that the documents use (IANA protocol numbers)."""

    ICMP = 1
    TCP = 6
    UDP = 17
    GRE = 47
    ESP = 50
    AH = 51
    ICMPV6 = 58

    @property
    def has_ports(self) -> bool:
        return self in (Protocol.TCP, Protocol.UDP)

    @property
    def has_numbers(self) -> bool:
        """Whether a port cell means something for it: ports, or an ICMP type and code."""
        return self.has_ports or self in (Protocol.ICMP, Protocol.ICMPV6)

    @property
    def ip_versions(self) -> frozenset[int]:
        """The IP versions it runs over; each version has an ICMP of its own."""
        return _ICMP_OF.get(self, _BOTH)

    @property
    def label(self) -> str:
        return _LABELS[self]

    # Protocols are keys everywhere; an enumeration's own hash is that of its name, found each time.
    __hash__ = int.__hash__

    @classmethod
    def parse(cls, text: str) -> Protocol:
        """Read `tcp`, `UDP`, `icmpv6`; ValueError lists the names there are."""
        try:
            return cls[text.strip().upper()]
        except KeyError:
            names = ", ".join(member.label for member in cls)
            raise ValueError(f"{text!r} is not a protocol: write one of {names}") from None


_LABELS = {protocol: protocol.name.lower() for protocol in Protocol}
_BOTH = frozenset({4, 6})
_ICMP_OF = {Protocol.ICMP: frozenset({4}), Protocol.ICMPV6: frozenset({6})}
