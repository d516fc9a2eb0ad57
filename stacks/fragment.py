"""A piece of Terraform JSON as one construct.

One construct for a whole rule set instead of one for each rule: every construct costs a round
trip to node and back, and a rule needs none of its own (see docs/benchmarks.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

from flowbridge.stacks.engine import Construct, engine

_taken: Final[WeakKeyDictionary[Any, dict[str, str]]] = WeakKeyDictionary()


class Fragment(engine.TerraformElement):
    """Emits `body` (top-level Terraform JSON: `resource`, `output`, ...) as it stands.

    Tokens of other constructs may stand anywhere in `body`. ValueError where another fragment of
    the same stack already holds one of its blocks: the engine would merge the two in silence.
    """

    def __init__(self, scope: Construct, id: str, body: Mapping[str, Any]) -> None:  # noqa: A002
        super().__init__(scope, id)
        owners = _taken.setdefault(self.cdktf_stack, {})
        path = self.node.path
        for address in addresses(body):
            owner = owners.setdefault(address, path)
            if owner != path:
                raise ValueError(f"{path} and {owner} both emit {address} in one stack")
        self._body = crossing(body)

    def to_terraform(self) -> Any:
        return self._body


def addresses(body: Mapping[str, Any]) -> Iterator[str]:
    """`aws_security_group.name`, `data.aws_vpc.name`, `output.name` for each block of `body`."""
    for kind, blocks in body.items():
        if kind in ("resource", "data"):
            prefix = "" if kind == "resource" else "data."
            for type_name, named in blocks.items():
                yield from (f"{prefix}{type_name}.{name}" for name in named)
        elif kind == "output":
            yield from (f"output.{name}" for name in blocks)


def crossing(value: Any) -> Any:
    """`value` as it survives the way to node, where None is dropped and only plain data passes.

    A None becomes Terraform's null; TypeError for what is not JSON data.
    """
    null: Any = None

    def convert(part: Any) -> Any:
        nonlocal null
        if part is None:
            null = engine.Token.null_value() if null is None else null
            return null
        if isinstance(part, str | bool | int | float):
            return part
        if isinstance(part, Mapping):
            return {key: convert(item) for key, item in part.items()}
        if isinstance(part, list | tuple):
            return [convert(item) for item in part]
        if hasattr(part, "resolve"):  # a token
            return part
        raise TypeError(f"{type(part).__name__} is no Terraform JSON: {part!r}")

    return convert(value)
