"""A row: one printed line of a documented port table, exactly as printed, with its meaning.

Every cell keeps the printed text beside its reading, so that a person can check one against the
other. Corrections never touch a row: they are errata (`Erratum`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer

from flowbridge.catalog.condition import ALWAYS, Condition
from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.printed import Nic, nic
from flowbridge.catalog.protocol import Protocol
from flowbridge.catalog.record import Record
from flowbridge.catalog.row_id import RowId


def _range(value: object) -> object:
    return PortRange.parse(value) if isinstance(value, str | int) else value


def _ranges(value: object) -> object:
    return [value] if isinstance(value, str | int) else value


def _protocol(value: object) -> object:
    return Protocol.parse(value) if isinstance(value, str) else value


Range = Annotated[PortRange, BeforeValidator(_range), PlainSerializer(str)]
Ranges = Annotated[tuple[Range, ...], BeforeValidator(_ranges)]
L4 = Annotated[Protocol, BeforeValidator(_protocol), PlainSerializer(lambda value: value.label)]


class Bilingual(Record):
    """A text of the documents in both languages; `ja` as printed, where there is a printed one."""

    en: str
    ja: str | None = None


class Side(StrEnum):
    """Which address of a dual-homed or translated system the document means."""

    PRIVATE = "private"
    PUBLIC = "public"


class PartyReference(Record):
    """A party of the catalog (`catalog/parties.yaml`), and the side of it that is printed.

    `of` narrows `this-peer` and `other-peer` to the peers of one workload (a row that is for
    Expressway-C clusters only); without it they are the peers of each workload.
    """

    party: str
    side: Side | None = None
    of: str | None = None


class PartyCell(Record):
    """The source or destination of a row. Several parties: the row is for each of them."""

    printed: str | None
    parties: tuple[PartyReference, ...] = ()

    @property
    def nic(self) -> Nic | None:
        """The card of Expressway-E that the cell prints."""
        return nic(self.printed or "")


class PortAlternative(Record):
    """Ports that hold under a condition.

    `parameter` names the setting (`catalog/parameters.yaml`) whose value takes the place of the
    printed default; with no `ports`, or where they are printed as an `example`, the deployment has
    to supply it. `l4` are protocols that the port cell itself prints for these ports ("TCP override
    port"); else they are for those of the row.
    """

    ports: Ranges = ()
    l4: tuple[L4, ...] = ()
    when: Condition = ALWAYS
    parameter: str | None = None
    bracketed: bool = False
    example: bool = False


class PortCell(Record):
    """A cell of ports. All alternatives whose condition holds apply together."""

    printed: str | None
    alternatives: tuple[PortAlternative, ...] = ()


class ProtocolCell(Record):
    """The protocol as printed (`TLS`, `UDP & TCP §`, None where none is) and as L4 protocols.

    `when` says of a protocol, by its label, under which condition the row uses it; the others are
    used wherever the row applies.
    """

    printed: str | None
    l4: tuple[L4, ...] = ()
    when: dict[str, Condition] = Field(default_factory=dict)


class Evidence(Record):
    """Where a document shows it: the edition, the place in it, and the words.

    The place is a row of a table, a table (its caption or a note), or a section; `line` is the
    line in the edition's text, for those who compare with it.
    """

    document: str
    edition: str
    table: int | None = Field(None, ge=1)
    row: int | None = Field(None, ge=1)
    section: str | None = None
    line: int | None = Field(None, ge=1)
    quote: str


class Erratum(Record):
    """A correction beside the row: what is wrong, what is used instead, why, and the proof.

    `correction` replaces whole cells of the row (`destination`, `protocol`, ...); empty where
    the erratum only records a contradiction and the row is used as it stands. `filled_by` are the
    rows that stand in where the document lacks one: rows of ours, or of another service.
    """

    id: str
    what: str
    why: str
    evidence: tuple[Evidence, ...] = Field(min_length=1)
    filled_by: tuple[str, ...] = ()
    correction: dict[str, Any] = Field(default_factory=dict)


class PublicSource(Record):
    """Where anybody can read what a row of ours says: a standard, or a guide by its section."""

    title: str
    section: str

    def __str__(self) -> str:
        return f"{self.title}: {self.section}"


class Disposition(StrEnum):
    """What kind of traffic a row is, for a firewall."""

    NETWORK = "network"  # crosses a network: becomes flows
    LOCAL = "local"  # stays inside one host: known, never opened
    REPLY = "reply"  # answers of another row: return with it, open nothing of their own


class Row(Record):
    """One printed line. `id` is `<document>/<table>/<row>`.

    `line` is its line in the text of the table files' edition; None for a row of another edition.
    `sources` are those of a row of ours, which no document of the catalog prints.
    `instead_of` is a row that some editions print: where one does, this row is none.
    `doubtful_source_ports` says why the printed source ports are hard to believe.
    """

    row: int = Field(ge=1)
    line: int | None = Field(None, ge=1)
    purpose: Bilingual
    source: PartyCell
    source_ports: PortCell
    protocol: ProtocolCell
    destination: PartyCell
    destination_ports: PortCell
    when: Condition = ALWAYS
    enabled_by_default: bool = True
    management: bool = False
    signalling: bool = False
    host_names: tuple[str, ...] = ()
    disposition: Disposition = Disposition.NETWORK
    reply_to: str | None = None
    notes: tuple[Bilingual, ...] = ()
    footnotes: tuple[str, ...] = ()
    errata: tuple[Erratum, ...] = ()
    sources: tuple[PublicSource, ...] = ()
    instead_of: str | None = None
    doubtful_source_ports: str | None = None

    def corrected(self) -> Row:
        """The row with its errata applied."""
        changes: dict[str, Any] = {}
        for erratum in self.errata:
            changes.update(erratum.correction)
        if not changes:
            return self
        return Row.model_validate({**self.model_dump(mode="json"), **changes})


class Footnote(Record):
    """A mark (`*`, `†`, `¹`) below a table and its text."""

    mark: str
    line: int = Field(ge=1)
    text: Bilingual


class AddedRow(Record):
    """A row that no document prints but an erratum shows to be missing; it has no line of its own.

    Its id ends in `+N`: `expressway/11/+1`. Used with `errata: corrected` only.
    """

    erratum: Erratum
    row: Row


class ClosedRow(Record):
    """A row that opens nothing: the edition in use does not print it, or an overlay closes it.

    `overlay` is the overlay's file, None where it is the edition.
    """

    row: Row
    reason: str
    overlay: str | None = None


class Replacement(Record):
    """What an overlay did to a row: its reason, its file, and the cells it gave."""

    reason: str
    overlay: str
    cells: tuple[str, ...]


class Table(Record):
    """A table of a document: one YAML file.

    `closed` and `replaced` (by row number) come from the edition and from overlays, never from a
    table's file.
    """

    document: str
    table: int = Field(ge=1)
    service: str | None
    title: Bilingual
    line: int = Field(ge=1)
    columns: tuple[str, ...]
    when: Condition = ALWAYS
    notes: tuple[Footnote, ...] = ()
    rows: tuple[Row, ...] = Field(min_length=1)
    added: tuple[AddedRow, ...] = ()
    closed: tuple[ClosedRow, ...] = ()
    replaced: dict[int, Replacement] = Field(default_factory=dict)

    def id_of(self, row: Row) -> str:
        return str(RowId(self.document, self.table, row.row))

    def id_of_added(self, extra: AddedRow) -> str:
        """`expressway/11/+1`."""
        return str(RowId(self.document, self.table, extra.row.row, added=True))
