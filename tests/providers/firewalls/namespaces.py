"""Network namespaces of the Linux kernel: a firewall in the middle, and one host on each side.

Sockets are made inside a namespace and stay in it; the thread goes back at once.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_NEWNET: Final = 0x40000000
_MIDDLE: Final = "fbfw"


def why_not() -> str | None:
    """Why there are no namespaces or no `nft` here; None where there are."""
    for program in ("ip", "nft"):
        if shutil.which(program) is None:
            return f"there is no program `{program}`"
    made = subprocess.run(
        ["ip", "netns", "add", "fbtry"], check=False, capture_output=True, text=True
    )
    if made.returncode:
        return made.stderr.strip()
    _run("ip netns del fbtry")
    return None


def _run(command: str, *, text: str | None = None) -> None:
    done = subprocess.run(command.split(), check=False, input=text, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"


class Wire:
    """The namespaces while they exist; a zone's host has all of the addresses given for it."""

    def __init__(self, zones: Mapping[str, str], addresses: Mapping[str, Iterable[str]]) -> None:
        self._hosts = {zone: f"fb{number}" for number, zone in enumerate(zones)}
        lines = {name: ["link set lo up"] for name in (_MIDDLE, *self._hosts.values())}
        for number, (zone, interface) in enumerate(zones.items()):
            host = self._hosts[zone]
            lines[_MIDDLE] += [
                f"link add {interface} type veth peer name eth0 netns {host}",
                f"link set {interface} up",
                f"addr add 169.254.{number}.1/30 dev {interface}",
            ]
            lines[host] += [
                "link set eth0 up",
                f"addr add 169.254.{number}.2/30 dev eth0",
                f"route add default via 169.254.{number}.1",
            ]
            for address in addresses[zone]:
                lines[host].append(f"addr add {address}/32 dev eth0")
                lines[_MIDDLE].append(f"route add {address}/32 via 169.254.{number}.2")
        for name in lines:
            _run(f"ip netns add {name}")
        for name, mine in lines.items():
            _run(f"ip -n {name} -batch -", text="\n".join(mine))
        settings = "net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0"
        _run(f"ip netns exec {_MIDDLE} sysctl -qw {settings}")

    def load(self, ruleset: str) -> None:
        """`ruleset` in the middle, as `nft -f` takes it."""
        _run(f"ip netns exec {_MIDDLE} nft -f -", text=ruleset)

    @contextmanager
    def _inside(self, zone: str) -> Iterator[None]:
        libc = ctypes.CDLL(None, use_errno=True)
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(Path("/var/run/netns") / self._hosts[zone], os.O_RDONLY)
        try:
            if libc.setns(there, _NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            yield
        finally:
            libc.setns(here, _NEWNET)
            os.close(here)
            os.close(there)

    def bound(self, zone: str, protocol: int, address: str, port: int) -> socket.socket:
        """A socket of a zone's host at one of its addresses, which does not wait."""
        kinds = {6: socket.SOCK_STREAM, 17: socket.SOCK_DGRAM}
        with self._inside(zone):
            raw = protocol not in kinds
            made = socket.socket(
                socket.AF_INET, kinds.get(protocol, socket.SOCK_RAW), protocol if raw else 0
            )
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setblocking(False)
        made.bind((address, 0 if raw else port))
        return made


@contextmanager
def wire(zones: Mapping[str, str], addresses: Mapping[str, Iterable[str]]) -> Iterator[Wire]:
    """Namespaces that are gone afterwards; `zones` maps each to its interface in the middle."""
    try:
        yield Wire(zones, addresses)
    finally:
        names = [_MIDDLE, *(f"fb{number}" for number in range(len(zones)))]
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
