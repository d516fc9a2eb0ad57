"""How a Google Cloud firewall rule says what it is for: a marker in its text, a network tag.

Firewall rules have no labels, so what other clouds carry in tags stands at the end of the
description: `[flowbridge:site=lab flowbridge:tier=dmz flowbridge:workload=expressway-e
flowbridge:interface=external]`. The target is a network tag of the virtual machine,
`fb-lab-expressway-e-external`. A network tag belongs to the machine and so reaches every
interface of it; the rule's network tells which of them is meant (VPC firewall rules, targets).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from flowbridge.deployment.interface import Interface
from flowbridge.providers.gcp.naming import digest
from flowbridge.providers.gcp.quotas import default_quotas
from flowbridge.providers.terraform.joined_names import is_plain

_MARKER: Final = re.compile(r"\[(?P<pairs>flowbridge:[^\]]*)\]\s*$")
_PREFIX: Final = "flowbridge:"
_NOT_IN_TAGS: Final = re.compile(r"[^a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Marker:
    """What a rule belongs to. `workload` and `interface` are None for a rule of a whole tier."""

    site: str
    tier: str
    workload: str | None = None
    interface: str | None = None

    @classmethod
    def of(cls, site: str, interface: Interface) -> Marker:
        return cls(site, interface.tier, interface.workload, interface.name)

    def __str__(self) -> str:
        pairs = [f"site={self.site}", f"tier={self.tier}"]
        if self.workload is not None:
            pairs.append(f"workload={self.workload}")
        if self.interface is not None:
            pairs.append(f"interface={self.interface}")
        return f"[{' '.join(_PREFIX + pair for pair in pairs)}]"

    @classmethod
    def parse(cls, description: str | None) -> Marker | None:
        """The marker at the end of `description`; None where there is none."""
        match = _MARKER.search(description or "")
        if match is None:
            return None
        words = match["pairs"].split()
        if not all(word.startswith(_PREFIX) for word in words):
            return None
        pairs = dict(word.removeprefix(_PREFIX).partition("=")[::2] for word in words)
        if not {"site", "tier"} <= pairs.keys() <= {"site", "tier", "workload", "interface"}:
            return None
        return cls(pairs["site"], pairs["tier"], pairs.get("workload"), pairs.get("interface"))


def described(rows: Iterable[str], subject: str, marker: Marker) -> str:
    """`expressway/11/5, expressway/11/6: SIP calls [flowbridge:site=lab ...]`.

    As long as a description may be. Row ids come first. Where not all of them fit, whole ids are
    left out and counted.
    """
    limit = default_quotas().description_length.value or 0
    ids = list(rows)
    end = f" {marker}"
    for kept in range(len(ids), -1, -1):
        listed = ", ".join(ids[:kept])
        left_out = f" (+{len(ids) - kept} rows)" if kept < len(ids) else ""
        head = f"{listed}{left_out}"
        for text in (f"{head}: {subject}" if head else subject, head):
            if len(text) + len(end) <= limit:
                return f"{text}{end}".strip()
    return str(marker)


def target_tag(site: str, workload: str, interface: str) -> str:
    """The network tag of the machines of `workload`, for rules of this interface.

    As long as a tag may be, of `a-z 0-9 -`; a name that has to be changed to fit, or that another
    site and workload make as well, ends in a digest of its parts, so that two never fall together.
    """
    limit = default_quotas().tag_length.value or 0
    plain = f"fb-{site}-{workload}-{interface}"
    tag = _NOT_IN_TAGS.sub("-", plain.lower())
    alone = is_plain(site, workload)
    if alone and tag == plain and len(tag) <= limit:
        return tag
    short = digest(plain) if alone else digest(site, workload, interface)
    return f"{tag[: limit - len(short) - 1].rstrip('-')}-{short}"
