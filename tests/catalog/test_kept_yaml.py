"""What is kept of our YAML files: the data of the text, and never that of another text."""

from __future__ import annotations

import atexit
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowbridge.catalog.load import ROOT
from flowbridge.catalog.reading import cache_folder, kept_yaml
from flowbridge.catalog.reading.kept_yaml import read_kept, read_plain
from flowbridge.catalog.reading.located_yaml import BadFileError, parse_yaml, read_yaml

PACKAGE = ROOT.parent
OURS = sorted(
    path for room in ("catalog", "providers") for path in (PACKAGE / room).rglob("*.yaml")
)


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """An empty folder for what is kept; the function ends one program and starts the next."""
    monkeypatch.setenv(cache_folder.VARIABLE, str(tmp_path / "kept"))
    ends: list[Callable[[], None]] = []
    monkeypatch.setattr(atexit, "register", ends.append)

    def turn() -> None:
        for end in ends:
            end()
        ends.clear()
        kept_yaml._store.cache_clear()

    turn()
    yield turn
    kept_yaml._store.cache_clear()


def _parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are parsed from now on."""
    parsed: list[str] = []
    real = parse_yaml

    def parse(text: str, file: str) -> object:
        parsed.append(file)
        return real(text, file)

    monkeypatch.setattr(kept_yaml, "parse_yaml", parse)
    return parsed


def test_kept_data_is_that_of_the_text(
    start: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = [path for path in OURS if "<<" not in path.read_text("utf-8")]
    assert len(read) > 100
    first = [read_kept(path) for path in read]
    start()
    parsed = _parsed(monkeypatch)
    again = [read_kept(path) for path in read]
    assert not parsed
    assert again == first == [read_yaml(path).data for path in read]


def test_merge_keys_are_read_where_yaml_s_own_rules_hold(start: Callable[[], None]) -> None:
    path = next(path for path in OURS if "<<: *" in path.read_text("utf-8"))
    first = read_plain(path)
    start()
    assert read_plain(path) == first
    with pytest.raises(BadFileError, match="merge keys"):
        read_kept(path)


def test_a_changed_text_is_not_found(start: Callable[[], None], tmp_path: Path) -> None:
    file = tmp_path / "table.yaml"
    file.write_text("port: 1", "utf-8")
    assert read_kept(file) == {"port": 1}
    start()
    file.write_text("port: 2", "utf-8")
    assert read_kept(file) == {"port": 2}


@pytest.mark.parametrize(
    "harm",
    [
        lambda content: content.replace(b'{"port": 1}', b'{"port": 9}'),
        lambda content: content[:-1],
        lambda _: b"",
        lambda content: content + b" ",
    ],
    ids=["changed", "cut off", "empty", "longer"],
)
def test_what_is_not_whole_is_not_found(
    start: Callable[[], None], tmp_path: Path, harm: Callable[[bytes], bytes]
) -> None:
    file = tmp_path / "table.yaml"
    file.write_text("port: 1", "utf-8")
    read_kept(file)
    start()
    (kept,) = (tmp_path / "kept").iterdir()
    assert harm(kept.read_bytes()) != kept.read_bytes()
    kept.write_bytes(harm(kept.read_bytes()))
    assert read_kept(file) == {"port": 1}


def test_a_folder_that_others_write_to_is_not_used(
    start: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kept").mkdir(mode=0o700)
    (tmp_path / "kept").chmod(0o777)
    file = tmp_path / "table.yaml"
    file.write_text("port: 1", "utf-8")
    read_kept(file)
    start()
    assert not list((tmp_path / "kept").iterdir())
    monkeypatch.setenv(cache_folder.VARIABLE, str(file / "below-a-file"))
    assert cache_folder.cache_folder() is None
    assert read_kept(file) == {"port": 1}


def test_nothing_is_kept_where_that_is_asked_for(
    start: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cache_folder.VARIABLE, cache_folder.OFF)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    file = tmp_path / "table.yaml"
    file.write_text("port: 1", "utf-8")
    read_kept(file)
    start()
    assert [path.name for path in tmp_path.iterdir()] == ["table.yaml"]


def test_two_programs_keep_both(start: Callable[[], None], tmp_path: Path) -> None:
    for number in range(3):
        file = tmp_path / f"{number}.yaml"
        file.write_text(f"port: {number}", "utf-8")
        read_kept(file)
        start()
    (kept,) = (tmp_path / "kept").iterdir()
    head, _, _ = kept.read_bytes()[32:].partition(b"\n")
    assert len(json.loads(head)) == 3
