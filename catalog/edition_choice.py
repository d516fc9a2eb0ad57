"""Which edition of a document stands for a release, and how well.

A release between two editions takes the nearest documented one below it, a release newer than any
the newest, one older than any the oldest; each says so. Where no release is named, the edition
without releases stands for all, else that of the table files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flowbridge.catalog.document import Document, Edition
from flowbridge.catalog.release import release_order


class Fit(StrEnum):
    """How an edition stands for the release that was asked for."""

    EXACT = "exact"
    BETWEEN = "between"  # the nearest documented release below it
    NEWER = "newer"  # than any edition
    OLDER = "older"  # than any edition
    UNSTATED = "unstated"  # no release is named


@dataclass(frozen=True, slots=True)
class EditionChoice:
    """The edition of one document that is used, for which release, and how well it fits."""

    document_id: str
    document: Document
    edition: Edition
    release: str | None
    fit: Fit

    @property
    def own_tables(self) -> bool:
        """Whether it is the edition of the table files, to which nothing has to be done."""
        return self.edition.id == self.document.tables

    def sentence(self) -> str:
        """What a person should know: `Unified CM 14SU3: 14 and SUs (2026-08-07)`."""
        name = self.document.product_name
        dated = f"{self.edition.name} ({self.edition.date})" if self.edition.date else ""
        used = dated or self.edition.name
        match self.fit:
            case Fit.UNSTATED:
                key = f"release.{self.document.product}"
                return f"{name}: {used}, since {key} names no release"
            case Fit.EXACT:
                return f"{name} {self.release}: {used}"
            case Fit.BETWEEN:
                return (
                    f"{name} {self.release}: no edition is for this release; the nearest "
                    f"documented one below it is used, {used}"
                )
            case Fit.NEWER:
                return (
                    f"{name} {self.release} is newer than every edition: the newest is used, {used}"
                )
            case Fit.OLDER:
                return (
                    f"{name} {self.release} is older than every edition whose rows are known: the "
                    f"oldest is used, {used}"
                )

    def as_plain(self) -> dict[str, Any]:
        """Keys: `document, title, publisher, product, release, edition, date, fit, address`."""
        return {
            "document": self.document_id,
            "title": self.document.title.en,
            "publisher": self.document.publisher,
            "product": self.document.product,
            "release": self.release,
            "edition": self.edition.name,
            "date": self.edition.date,
            "fit": self.fit.value,
            "address": self.edition.address,
        }


def choose_edition(document_id: str, document: Document, release: str | None) -> EditionChoice:
    """The edition of `document` for `release`. ValueError where that is no release."""
    product = document.product
    if product is None or release is None:
        undated = [e for e in document.editions if e.releases is None and e.part is None]
        edition = undated[0] if undated else document.edition(document.tables)
        return EditionChoice(document_id, document, edition, None, Fit.UNSTATED)
    asked = release_order(product, release)
    spans = sorted(
        (
            (release_order(product, e.releases.first), release_order(product, e.releases.last), e)
            for e in document.editions
            if e.releases is not None and e.held
        ),
        key=lambda span: span[0],
    )
    below = [(last, edition) for first, last, edition in spans if first <= asked]
    if not below:
        return EditionChoice(document_id, document, spans[0][2], release, Fit.OLDER)
    last, edition = below[-1]
    beyond = Fit.NEWER if edition is spans[-1][2] else Fit.BETWEEN
    fit = Fit.EXACT if asked <= last else beyond
    return EditionChoice(document_id, document, edition, release, fit)


def choose_editions(
    known: Mapping[str, Document], releases: Mapping[str, str]
) -> dict[str, EditionChoice]:
    """For each document the edition of its product's release (`{"cucm": "14"}`)."""
    return {
        name: choose_edition(name, document, releases.get(document.product or ""))
        for name, document in known.items()
    }
