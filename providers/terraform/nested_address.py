"""What a block inside a resource is called: `<resource>.security_rule[<its name>]`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any


def nested_addresses(parent: str, key: str, bodies: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What the blocks `key` of `parent` are called: by their own names, as in `rule[allow-dns]`.

    A name stays when a block is put before it, and a person finds it in the cloud's own pages. By
    its place (`rule[3]`) where a block has no name or another has the same.
    """
    names = [body.get("name") or body.get("rule_name") for body in bodies]
    seen = Counter(map(str, names))
    return tuple(
        f"{parent}.{key}[{name if isinstance(name, str) and seen[name] == 1 else place}]"
        for place, name in enumerate(names)
    )
