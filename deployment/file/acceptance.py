"""What a deployment file accepts of what a check finds: which, where, why, who, and until when.

Written as a list, or short as a map of reasons by id; both are read as the same acceptances.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final

from pydantic import (
    AliasChoices,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    PlainValidator,
    Tag,
    WithJsonSchema,
)

from flowbridge.deployment.file.values import Section

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def _day(value: object) -> date:
    """A day as it is written; ValueError says how."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value} is no day of the calendar; write one") from None
    raise ValueError(f"{value!r}: write the last day, such as 2027-03-31")


Day = Annotated[
    date,
    PlainValidator(_day),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "format": "date"}),
]


def _either_name(schema: dict[str, Any]) -> None:
    """`finding` is the long name of `id`; one of the two is written."""
    properties = schema["properties"]
    properties["finding"] = {**properties["id"], "description": "The same as `id`."}
    schema["required"] = [name for name in schema.get("required", ()) if name != "id"]
    schema["oneOf"] = [{"required": ["id"]}, {"required": ["finding"]}]


class Acceptance(Section):
    """One finding, or one feature that fails, that this deployment lives with."""

    model_config = ConfigDict(json_schema_extra=_either_name)

    id: str = Field(
        min_length=1,
        validation_alias=AliasChoices("id", "finding"),
        description="The id of the finding (`aws/network-acl-widened`), of an audit's "
        "(`audit/unmanaged`), or of a feature that fails (`mra/hold-music`).",
    )
    where: str = Field(
        "",
        description="Only where it is about this key of the file (or one below it), or names this "
        "tier, workload, interface or live id. Without it: everywhere.",
        examples=["systems.imp", "sg-0a1b2c3d"],
    )
    reason: str = Field(min_length=1, description="Why it is accepted, in a sentence.")
    owner: str = Field("", description="Who answers for it.")
    until: Day | None = Field(
        None,
        description="The last day on which it is accepted; after that the finding is back, and "
        "that this ran out is a finding of its own.",
    )

    def covers(self, key: str, text: str) -> bool:
        """Whether it is about what stands at `key` of the file, or is named in `text`."""
        if not self.where:
            return True
        if key == self.where or key.startswith((f"{self.where}.", f"{self.where}[")):
            return True
        return re.search(rf"(?<![\w./-]){re.escape(self.where)}(?![\w/-])", text) is not None

    @property
    def sentence(self) -> str:
        """The reason, with who answers for it and until when."""
        by = f", {self.owner}" if self.owner else ""
        end = f", until {self.until}" if self.until else ""
        return f"{self.reason}{by}{end}"


SHORT: Final = "reasons by id"
LONG: Final = "a list"
_Reason = Annotated[str, Field(min_length=1)]
Accepted = Annotated[
    Annotated[Mapping[str, _Reason], Tag(SHORT)] | Annotated[tuple[Acceptance, ...], Tag(LONG)],
    Discriminator(lambda value: LONG if isinstance(value, list | tuple) else SHORT),
]


def acceptances_of(accepted: Mapping[str, str] | tuple[Acceptance, ...]) -> tuple[Acceptance, ...]:
    """Both forms as one."""
    if isinstance(accepted, Mapping):
        return tuple(
            Acceptance.model_construct(id=name, where="", reason=reason, owner="", until=None)
            for name, reason in accepted.items()
        )
    return accepted
