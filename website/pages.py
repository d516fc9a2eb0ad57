"""The pages of the site: those of `docs/` with links that hold there, and those of its own."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Final

from website.catalog_pages import write_catalog
from website.commands_page import commands_page

HERE: Final = Path(__file__).parent
_LINK: Final = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
_FENCE: Final = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_EXAMPLE: Final = re.compile(r"<!-- .*? -->\n")


def write_pages(repository: Path, target: Path) -> None:
    """Fill `target` with `mkdocs.yml` and the folder `pages` that it reads."""
    pages = target / "pages"
    shutil.copytree(repository / "docs", pages)
    shutil.copytree(HERE / "pages", pages, dirs_exist_ok=True)
    shutil.copytree(HERE / "assets", pages / "assets")
    shutil.copytree(repository / "schemas", pages / "schemas")
    shutil.copyfile(repository / "CHANGELOG.md", pages / "changelog.md")
    shutil.copyfile(HERE / "mkdocs.yml", target / "mkdocs.yml")
    for page in sorted(pages.rglob("*.md")):
        text = _EXAMPLE.sub("", page.read_text("utf-8"))
        page.write_text(with_links_that_hold(text, page, pages, repository), "utf-8")
    (pages / "commands.md").write_text(commands_page(), "utf-8")
    write_catalog(pages)


def with_links_that_hold(text: str, page: Path, pages: Path, repository: Path) -> str:
    """The text of a page whose links to files that the site does not have are only their names."""

    def held(match: re.Match[str]) -> str:
        mark, words, address, anchor = match.groups()
        if "://" in address or address.startswith("mailto:"):
            return match[0]
        there = Path(os.path.normpath(page.parent / address))
        if there.is_relative_to(pages):
            return match[0]
        # `docs/` lies one below the repository, whose `schemas` and change log are pages here.
        name = Path(
            os.path.normpath(repository / "docs" / page.parent.relative_to(pages) / address)
        )
        inside = name.relative_to(repository)
        if inside.parts[0] == "schemas" and name.is_file():
            return f"{mark}[{words}]({os.path.relpath(pages / inside, page.parent)}{anchor or ''})"
        if str(inside) == "CHANGELOG.md":
            return f"{mark}[{words}]({os.path.relpath(pages / 'changelog.md', page.parent)})"
        return words if "`" in words or words == str(inside) else f"{words} (`{inside}`)"

    parts = _FENCE.split(text)
    return "".join(part if part.startswith("```") else _LINK.sub(held, part) for part in parts)
