"""Parties and parameters: every name a row uses is known, and known as the documents print it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import BaseModel

from flowbridge.catalog.load import Entry, load
from flowbridge.catalog.row import PartyCell, PortCell
from flowbridge.deployment.checks.names import OPTION_OF
from flowbridge.deployment.file.options import Options

SIDE = re.compile(
    r"\s*\(?(?:の?(?:パブリック|プライベート)|内部)\)?\s*(?:IP|NIC)?(?: \(外部 NIC\))?$"
)
MARKS = str.maketrans("", "", "†‡*")
MARKUP = re.compile(r"\s*<ul.*")


def entries() -> list[Entry]:
    return list(load().entries())


def party_cells() -> Iterator[tuple[str, PartyCell]]:
    for entry in entries():
        for row in (entry.row, entry.row.corrected()):
            yield entry.id, row.source
            yield entry.id, row.destination


def port_cells() -> Iterator[tuple[str, PortCell]]:
    for entry in entries():
        for row in (entry.row, entry.row.corrected()):
            yield entry.id, row.source_ports
            yield entry.id, row.destination_ports


def test_every_party_of_a_row_is_known() -> None:
    known = load().parties
    unknown = {
        (row, reference.party)
        for row, cell in party_cells()
        for reference in cell.parties
        if reference.party not in known
    }
    assert not unknown


def test_every_party_is_named_by_a_row() -> None:
    used = {reference.party for _, cell in party_cells() for reference in cell.parties}
    # `internet` is for deployment files and their assertions; no document prints it alone.
    assert set(load().parties) - used == {"internet"}


def test_parties_are_spelled_as_the_documents_print_them() -> None:
    parties = load().parties
    unspelled = set()
    for row, cell in party_cells():
        # A dash names nobody; a translated address ("変換後") is one party printed twice.
        if cell.printed in (None, "--") or len(cell.parties) != 1 or "変換後" in cell.printed:
            continue
        printed = MARKUP.sub("", cell.printed.translate(MARKS))
        spellings = parties[cell.parties[0].party].ja
        if SIDE.sub("", printed).strip() not in spellings and printed.strip() not in spellings:
            unspelled.add((row, cell.printed))
    assert not unspelled


def test_every_parameter_of_a_row_is_known_and_every_known_one_is_used() -> None:
    used = {
        alternative.parameter
        for _, cell in port_cells()
        for alternative in cell.alternatives
        if alternative.parameter is not None
    }
    assert used == set(load().parameters)


def test_the_default_of_a_parameter_is_printed_in_the_row_it_names() -> None:
    catalog = load()
    for name, parameter in catalog.parameters.items():
        if parameter.row is None or parameter.default is None:
            continue
        row = catalog.entry(parameter.row).row
        printed = {
            alternative.ports
            for cell in (row.source_ports, row.destination_ports)
            for alternative in cell.alternatives
        }
        assert parameter.default in printed, name


def test_a_port_without_a_number_has_a_parameter() -> None:
    nameless = [
        row
        for row, cell in port_cells()
        for alternative in cell.alternatives
        if not alternative.ports and alternative.parameter is None
    ]
    assert not nameless


def test_what_has_an_option_of_its_own_is_supplied_by_it() -> None:
    supplied = {name: known.supplied_by for name, known in load().parameters.items()}
    own = {n: option for n, option in supplied.items() if not option.startswith("options.ports.")}
    assert own == OPTION_OF


def test_the_option_that_supplies_a_parameter_exists() -> None:
    for name, parameter in load().parameters.items():
        section, _, path = parameter.supplied_by.partition(".")
        assert section == "options"
        if path.startswith("ports."):
            assert path == f"ports.{name}"
            assert Options.model_validate({"ports": {name: 5000}}).ports[name]
            continue
        value: object = Options()
        for part in path.split("."):
            assert isinstance(value, BaseModel)
            assert part in type(value).model_fields, f"{name}: {parameter.supplied_by}"
            value = getattr(value, part)
