"""Errata and guide rules for readers: plain data, and the Markdown tables of the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flowbridge.catalog.citation import plain_erratum
from flowbridge.catalog.condition import Condition
from flowbridge.catalog.guide_rule import Guide, GuideRule
from flowbridge.catalog.load import Catalog
from flowbridge.catalog.row import Erratum

Record = dict[str, Any]


def errata(catalog: Catalog) -> list[Record]:
    """Every erratum, in the order of the documents.

    Each is `{id, row, corrects, adds, what, why, evidence, correction}`: `corrects` says whether
    a cell is replaced, `adds` is the id of the row that a document lacks, else null.
    """
    found: list[Record] = []
    for entry in catalog.entries():
        for erratum in (*filter(None, [entry.added]), *entry.row.errata):
            adds = entry.id if erratum is entry.added else None
            found.append(_erratum(erratum, entry.id, adds))
    return found


def _erratum(erratum: Erratum, row_id: str, adds: str | None) -> Record:
    record = plain_erratum(erratum)
    return {
        "id": record["id"],
        "row": row_id,
        "corrects": bool(erratum.correction),
        "adds": adds,
        **{key: record[key] for key in ("what", "why", "evidence", "correction")},
    }


def notes(catalog: Catalog) -> list[Record]:
    """Every note below a table, in the order of the documents: `{table, mark, line, text, rows}`,
    `rows` being those that print its mark."""
    return [
        {
            "table": f"{table.document}/{table.table}",
            **note.model_dump(mode="json"),
            "rows": [table.id_of(row) for row in table.rows if note.mark in row.footnotes],
        }
        for table in catalog.tables
        for note in table.notes
    ]


def rules(guide: Guide) -> list[Record]:
    """Every guide rule, in the order of the documents: `{id, kind, statement, source, ...}`."""
    return [plain_rule(name, rule) for name, rule in guide.root.items()]


def plain_rule(name: str, rule: GuideRule) -> Record:
    """A guide rule as plain data, with its citation and public address."""
    place = rule.source.cited()
    plain = rule.model_dump(mode="json")
    return {"id": name, **plain, "cited": rule.cited, "address": place.address}


def errata_markdown(catalog: Catalog) -> str:
    """The table of errata, as `docs/errata.md` has it."""
    lines = [
        (record["id"], used(record), record["what"], record["why"], evidence(record["evidence"]))
        for record in errata(catalog)
    ]
    heading = ("Erratum", "What is used", "What is wrong", "Why", "Shown at")
    return (
        "# Errata of the documents\n\n"
        f"{len(lines)} places where the documents contradict themselves or each other, made by "
        "`flowbridge catalog errata --format markdown`. The rows keep what is printed; "
        "`options.errata: printed` uses them so.\n\n" + _table(heading, lines)
    )


def used(record: Record) -> str:
    """What stands in the place of what is wrong: `destination: dns-external`."""
    if record.get("adds"):
        return "a row that is missing is added"
    cells = record["correction"].items()
    return "; ".join(f"{_CELLS.get(cell, cell)}: {_value(new)}" for cell, new in cells) or (
        "as printed"
    )


_CELLS = {"source": "from", "destination": "to", "when": "applies when"}
_CELLS |= {"source_ports": "source ports", "destination_ports": "ports"}
_CELLS |= {"enabled_by_default": "on by default"}


def _value(new: Any) -> str:
    """The reading of a corrected cell; what is printed beside it is in the row."""
    if isinstance(new, bool):
        return "yes" if new else "no"
    if "parties" in new:
        return ", ".join(_party(part) for part in new["parties"])
    if "l4" in new:
        return " and ".join(new["l4"])
    if "alternatives" in new:
        return ", ".join(_alternative(each) for each in new["alternatives"])
    return str(new.get("en") or Condition.model_validate(new))


def _party(part: Record) -> str:
    return f"{part['party']} ({part['side']})" if part.get("side") else str(part["party"])


def _alternative(each: Record) -> str:
    ports = str(each.get("ports") or "the deployment's own")
    when = str(Condition.model_validate(each.get("when") or {}))
    return f"{ports} ({when})" if when else ports


def evidence(proofs: Iterable[Record]) -> str:
    """The places that show it: `Cisco Expressway IP Port Usage …, X14.3/X15.0, table 4, row 2`."""
    return "; ".join(dict.fromkeys(proof["cited"] for proof in proofs))


def rules_markdown(guide: Guide) -> str:
    """The table of guide rules, as `docs/guide-rules.md` has it."""
    where = {
        "resolving": "`flowbridge check`",
        "reading": "`flowbridge check`, reading the file",
        "cloud": "`flowbridge check`, by the cloud",
    }
    lines = [
        (
            name,
            rule.kind.value,
            str(Condition(rule.when.root)) or "always",
            rule.statement.en,
            rule.cited,
            where[rule.enforced],
        )
        for name, rule in guide.root.items()
    ]
    heading = ("Rule", "Kind", "Where it applies", "What the document says", "Source", "Checked by")
    return (
        "# Guide rules\n\n"
        "What the documents ask for outside their port tables, made by `flowbridge catalog guide "
        "--format markdown`. A refusal stops everything; an obligation is what no firewall of a "
        "cloud can do and the deployer must.\n\n" + _table(heading, lines)
    )


def _table(heading: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [heading, ["---"] * len(heading), *lines]
    return "".join("| " + " | ".join(map(_cell, row)) + " |\n" for row in rows)


def _cell(text: str) -> str:
    """One line, with what Markdown would read as its own made harmless."""
    single = " ".join(text.split())
    for mark in ("\\", "|", "*", "<", "["):
        single = single.replace(mark, f"\\{mark}")
    return single
