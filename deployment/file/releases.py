"""The releases of the products that a deployment runs."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, model_validator

from flowbridge.catalog.document import PRODUCTS
from flowbridge.deployment.file.values import (
    DottedRelease,
    ReleaseName,
    Section,
    UnifiedRelease,
)


class Releases(Section):
    """The release of each product. Of one that is not named the undated edition is used.

    IM and Presence has the release of Unified CM where it is not named itself.
    """

    expressway: ReleaseName = Field("X15.0", description="Expressway.")
    cucm: UnifiedRelease | None = Field(None, description="Unified CM.")
    imp: UnifiedRelease | None = Field(
        None, description="IM and Presence Service; that of Unified CM where it is not given."
    )
    cms: DottedRelease | None = Field(None, description="Cisco Meeting Server.")
    unity: UnifiedRelease | None = Field(None, description="Cisco Unity Connection.")

    @model_validator(mode="before")
    @classmethod
    def _of_expressway(cls, value: object) -> object:
        """A plain release is that of Expressway."""
        return value if isinstance(value, Mapping | Releases) else {"expressway": value}

    def by_product(self) -> dict[str, str]:
        """The releases that are named, by product."""
        named: dict[str, str | None] = {name: getattr(self, name) for name in PRODUCTS}
        named["imp"] = self.imp or self.cucm
        return {name: release for name, release in named.items() if release is not None}

    def __str__(self) -> str:
        others = {name: getattr(self, name) for name in PRODUCTS if name != "expressway"}
        named = [f"{name} {release}" for name, release in others.items() if release is not None]
        return ", ".join([self.expressway, *named])
