"""Documents and their editions (`catalog/documents.yaml`): what is cited, and for which releases.

A row keeps its identity over the editions of its document. One edition is that of the table files;
each of the others has a file that says what it prints against another one (`catalog.edition`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from flowbridge.catalog.reading.located_model import read_model
from flowbridge.catalog.record import Entries, Record
from flowbridge.catalog.release import release_order
from flowbridge.catalog.row import Bilingual

FILE: Final = Path(__file__).with_name("documents.yaml")

Product = Literal["expressway", "cucm", "imp", "cms", "unity"]
PRODUCTS: Final[tuple[Product, ...]] = ("expressway", "cucm", "imp", "cms", "unity")
"""The keys of `release` in a deployment file."""


class ReleaseSpan(Record):
    """The releases an edition stands for, both included; `*` is whatever stands in its place."""

    first: str
    last: str


class Chapter(Record):
    """A page of its own below the edition's address."""

    tables: tuple[int, ...]
    page: str


class Part(Record):
    """A chapter published by itself: the numbers of its tables in the whole document."""

    first: int
    last: int


class Edition(Record):
    """One edition of a document.

    `file` is below this folder; `date` as the publisher gives it (`2024-01-11`, `2020-04`).
    `held`: whether its rows are known. An edition with a `part` is only cited, never used.
    """

    id: str
    name: str
    language: Literal["en", "ja"]
    date: Annotated[str, Field(pattern=r"^\d{4}-\d\d(-\d\d)?$")] | None
    releases: ReleaseSpan | None = None
    address: str | None
    file: str | None = None
    held: bool = True
    part: Part | None = None
    note: str | None = None
    chapters: tuple[Chapter, ...] = ()

    def address_of(self, table: int | None) -> str | None:
        """The public page that shows a table: its chapter's, else that of the whole."""
        for chapter in self.chapters:
            if table in chapter.tables and self.address is not None:
                return f"{self.address.removesuffix('.html')}/{chapter.page}"
        return self.address


class Document(Record):
    """A document: its titles, who publishes it, whose releases its editions stand for."""

    title: Bilingual
    publisher: str
    product: Product | None
    product_name: str
    tables: str
    cited_as: Literal["table", "section"] = "table"
    editions: tuple[Edition, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = [edition.id for edition in self.editions]
        twice = [name for name in ids if ids.count(name) > 1]
        if twice:
            raise ValueError(f"the edition {twice[0]} stands twice")
        if self.tables not in ids:
            raise ValueError(f"there is no edition {self.tables} whose rows the table files are")
        for edition in self.editions:
            if edition.releases is not None and self.product is not None:
                first = release_order(self.product, edition.releases.first)
                if release_order(self.product, edition.releases.last) < first:
                    raise ValueError(f"the releases of edition {edition.id} run backwards")
        return self

    def edition(self, name: str) -> Edition:
        """The edition of this id. KeyError where there is none."""
        for edition in self.editions:
            if edition.id == name:
                return edition
        raise KeyError(name)

    def with_rows(self) -> tuple[Edition, ...]:
        """The editions whose rows are known, in the order of the file."""
        return tuple(
            edition
            for edition in self.editions
            if edition.held
            and edition.part is None
            and (edition.file is not None or edition.id == self.tables)
        )


class Documents(Entries[dict[str, Document]]):
    """All documents by id."""


@cache
def documents() -> dict[str, Document]:
    """All documents by id. BadFileError where the data is faulty."""
    return read_model(FILE, Documents).root
