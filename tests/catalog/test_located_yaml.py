"""Plain YAML only, and the line of everything that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowbridge.catalog.reading.located_yaml import BadFileError, parse_yaml, read_text, read_yaml

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdef", "bcdefg", strict=True)
)


def refusal(text: str) -> str:
    with pytest.raises(BadFileError) as caught:
        parse_yaml(text, "site.yaml")
    return str(caught.value)


def test_values_and_lines() -> None:
    located = parse_yaml("a: 1\nb:\n  - x: yes\n  - {y: 2026-01-01, z: null}\n", "site.yaml")
    assert located.data == {"a": 1, "b": [{"x": True}, {"y": "2026-01-01", "z": None}]}
    assert located.line_of(("b", 0, "x")) == 3
    assert located.line_of(("b", 1, "z")) == 4
    assert located.line_of(("b", 1, "z", "deeper")) == 4
    assert str(located.problem(("b", 0, "x"), "wrong")) == "site.yaml:3: b[0].x: wrong"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", "site.yaml:3: the key 'a' stands twice (first on line 1)"),
        ("a: [1, 2\nb: 3\n", "site.yaml:2: this is not YAML"),
        ("a:\n  <<: {b: 1}\n", "site.yaml:2: merge keys"),
        ("? [a, b]\n: 1\n", "site.yaml:1: a key must be plain text"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", ""),
        ("a: !!int x\n", "site.yaml:1: 'x' cannot be read as int"),
        ("a: \x07\n", "this is not YAML"),
        ("a: &a [*a]\n", "site.yaml:1: values are nested more than"),
        ("a: 1\n---\nb: 2\n", "this is not YAML"),
        ("name: x\ncloud:aws\nsize: large\n", "site.yaml:2: this is not YAML: a word stands here"),
        ("a:\n  - b\n  c\n  - d\n", "site.yaml:3: this is not YAML: a word stands here alone"),
        ("a: 'x\nb: y\nc: z\n", "site.yaml:1: this is not YAML: a quote opens here"),
        ("a: 1\nb: [1, 2\nc: 3\n", "close the bracket that opens on line 2"),
        ("a: b: c\n", "put a value that contains a colon and a space in quotes"),
        (
            "a:\n    b: 1\n  c: 2\n",
            "site.yaml:3: this is not YAML: did not find expected key; indent",
        ),
        (BOMB, "aliases expand to more than"),
        ("[" * 60 + "]" * 60, "values are nested more than"),
    ],
)
def test_what_is_refused(text: str, words: str) -> None:
    if "python/object" in text:  # a tag builds nothing: the value is the plain list below it
        assert parse_yaml(text, "site.yaml").data == {"a": 1, "b": ["ls"]}
    else:
        assert words in refusal(text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_text("a: 1\n" * 300_000)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("b:\na: ü\n".encode("latin-1"))
    control = tmp_path / "control.yaml"
    control.write_bytes("ü: ü\na: \x01\n".encode())
    for path, words in (
        (tmp_path / "none.yaml", "there is no such file"),
        (tmp_path, "this is a folder"),
        (large, "at most 1,000,000 bytes are read"),
        (latin, "latin.yaml:2: this is not UTF-8 text (byte 6)"),
        (control, "control.yaml:2: this is not YAML: unacceptable character #x0001"),
    ):
        with pytest.raises(BadFileError) as caught:
            read_yaml(path)
        assert words in str(caught.value)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("written", ["0443", "1:30", "0x16", "1_000", "2001:0:0:0:0:0:0:1"])
def test_numbers_that_are_not_what_they_look_like_are_text(written: str) -> None:
    assert parse_yaml(f"a: {written}\n", "site.yaml").data == {"a": written}


def test_plain_numbers_are_numbers() -> None:
    assert parse_yaml("[0, 443, -1, +7]\n", "site.yaml").data == [0, 443, -1, 7]


def test_a_file_without_an_end_is_not_read_to_it() -> None:
    with pytest.raises(BadFileError, match="at most 1,000 bytes are read"):
        read_text(Path("/dev/zero"), max_bytes=1_000)
