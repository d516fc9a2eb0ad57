"""The catalog as pages: one a table with every row, and the explorer that searches them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from flowbridge.catalog.editions_page import plain_editions
from flowbridge.catalog.history import InEdition
from flowbridge.catalog.load import load
from website.catalog_rows import TablePage, search_records, table_pages
from website.wording import CELL_NAMES, cell_text, openings_text

HERE: Final = Path(__file__).parent
FOLDER: Final = "catalog"


def write_catalog(target: Path) -> list[TablePage]:
    """Write the explorer's pages and data below `target`, the folder of the pages of the site."""
    pages = table_pages()
    folder = target / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    template = environment().get_template("table.md.j2")
    for page in pages:
        (folder / f"{page.name}.md").write_text(template.render(page=page), "utf-8")
    records = json.dumps(search_records(pages), ensure_ascii=False, separators=(",", ":"))
    (folder / "rows.json").write_text(records + "\n", "utf-8")
    # A page that is opened from a disk may load a script and not a file of data.
    safe = records.replace("</", "<\\/")
    (folder / "rows.js").write_text(f"window.flowbridgeRows = {safe};\n", "utf-8")
    (folder / "tables.md").write_text(_list_of_tables(pages), "utf-8")
    (folder / "editions.md").write_text("\n".join(_editions()) + "\n", "utf-8")
    return list(pages)


def environment() -> Environment:
    """The templates of Markdown pages with HTML in them: text is escaped, headings by `md`."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "md": _markdown,
        "slug": lambda name: name.replace("/", ""),
        "openings": openings_text,
        "cells": _changed,
    }
    return made


def _markdown(text: str) -> Markup:
    """A text in Markdown that shows as it is."""
    return Markup(re.sub(r"([\\`*_{}\[\]<>#|!&])", r"\\\1", text))  # noqa: S704


def _changed(each: InEdition, editions: Sequence[InEdition]) -> list[str]:
    """`ports: 389 from 1024-65535 → 389 from 30000-35999` for each cell that changed."""
    held = [one for one in editions if one.standing != "cannot be told"]
    if each not in held or each.row is None:
        return []
    before = held[held.index(each) - 1].row if held.index(each) else None
    if before is None:
        return []
    return [
        f"{CELL_NAMES[name]}: {cell_text(before, name)} → {cell_text(each.row, name)}"
        for name in each.cells
    ]


def _editions() -> Iterator[str]:
    yield "# Editions\n\nThe documents, and the editions by which their rows are read or cited.\n"
    for document in plain_editions(load()):
        yield f"## {_markdown(document['title'])} {{: #{document['document']} }}\n"
        if document["title_ja"]:
            yield f"{_markdown(document['title_ja'])}\n"
        yield "| edition | date | language | releases | rows | note |\n|---|---|---|---|---|---|"
        for each in document["editions"]:
            name = _markdown(each["name"])
            linked = f"[{name}]({each['address']})" if each["address"] else name
            span = each["releases"]
            releases = f"{span['first']} to {span['last']}" if span else "any"
            rows = "known" if each["held"] else "its text could not be had"
            yield (
                f"| {linked} | {each['date'] or 'undated'} | {each['language']} | "
                f"{_markdown(releases)} | {rows} | {_markdown(each['note'] or '')} |"
            )
        yield ""


def _list_of_tables(pages: Sequence[TablePage]) -> str:
    return "\n".join(_tables_in_markdown(pages)) + "\n"


def _tables_in_markdown(pages: Sequence[TablePage]) -> Iterator[str]:
    yield "# Tables\n\nAll tables; [the explorer](explorer.md) searches their rows.\n"
    for title, group in groupby(pages, key=lambda page: page.document.title.en):
        yield f"## {_markdown(title)}\n\n| table | title | service | rows |\n|---|---|---|---|"
        for page in group:
            service = f"`{page.table.service}`" if page.table.service else ""
            yield (
                f"| [{page.table.table}]({page.name}.md) | {_markdown(page.table.title.en)} | "
                f"{service} | {len(page.rows)} |"
            )
        yield ""
