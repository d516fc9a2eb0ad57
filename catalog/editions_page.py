"""The documents and their editions for readers: plain data."""

from __future__ import annotations

from typing import Any

from flowbridge.catalog.load import Catalog


def plain_editions(catalog: Catalog) -> list[dict[str, Any]]:
    """Every document with its editions, and which of them the catalog is read by.

    Each is `{document, title, title_ja, publisher, product, editions}`, each edition `{id, name,
    language, date, releases, address, held, note, used}`; a chapter published by itself is only
    cited and left out.
    """
    found = []
    for name, choice in catalog.editions.items():
        document = choice.document
        found.append(
            {
                "document": name,
                "title": document.title.en,
                "title_ja": document.title.ja,
                "publisher": document.publisher,
                "product": document.product,
                "editions": [
                    {
                        **edition.model_dump(
                            mode="json",
                            include={"id", "name", "language", "date", "releases", "address"},
                        ),
                        "held": edition.held,
                        "note": edition.note,
                        "used": edition.id == choice.edition.id,
                    }
                    for edition in document.editions
                    if edition.part is None
                ],
            }
        )
    return found
