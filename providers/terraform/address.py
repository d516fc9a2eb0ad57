"""The address of a resource in one document: `aws_security_group.edge`.

It is its string form: equal where the texts are, and a key of dictionaries and JSON as it stands.
Addresses over modules (`module.edge["a"].aws_security_group.this[0]`) are flattened to these when a
plan is read (`providers.terraform.shown`).
"""

from __future__ import annotations


class TerraformAddress(str):
    """`<kind>.<name>`. A text without a dot is a name of no kind: what is no resource."""

    __slots__ = ()

    @classmethod
    def of(cls, kind: str, name: str) -> TerraformAddress:
        """The address of the resource `name` of type `kind`."""
        return cls(f"{kind}.{name}")

    @property
    def kind(self) -> str:
        """The type of the resource: `aws_security_group`; empty where there is none."""
        kind, dot, _ = self.partition(".")
        return kind if dot else ""

    @property
    def name(self) -> str:
        """What it is called among those of its type."""
        kind, dot, name = self.partition(".")
        return name if dot else kind
