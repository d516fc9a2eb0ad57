"""The house: imports only point up, forbidden knowledge stays out of a room, imports stay cheap."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("catalog", "deployment", "policy", "providers", "stacks", "flowbridge")
# What a room may not know (docs/decisions and the README's table of rooms).
SDKS = {"boto3", "botocore", "azure", "google"}
ENGINE = {"cdktf", "cdktn", "constructs", "jsii"}
FORBIDDEN = {
    "catalog": SDKS | ENGINE,
    "deployment": SDKS | ENGINE,
    "policy": SDKS | ENGINE | {"yaml"},
    "providers": ENGINE,
    "stacks": SDKS,
}
VAGUE = {"util", "utils", "helper", "helpers", "common", "misc", "base"}


def modules() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def imported(path: Path, *, types_too: bool = True) -> Iterator[str]:
    """The dotted names that a module imports, wherever in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if not types_too and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            skipped.update(ast.walk(node))
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def room_of(name: str) -> str:
    """The room of a dotted name: `flowbridge.policy.packets` is of `policy`."""
    first, *rest = name.split(".")
    if first != "flowbridge":
        return ""
    return rest[0] if rest and rest[0] in ROOMS else "flowbridge"


def test_a_module_has_one_name() -> None:
    """The folders at the top are parts of the package: `policy.x` would load a second copy."""
    everywhere = [*modules(), *(p for t in ("tests", "bench") for p in (ROOT / t).rglob("*.py"))]
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (*everywhere, ROOT / "main.py")
        for name in imported(path)
        if name.split(".")[0] in ROOMS[:-1]
    ]
    assert not wrong, "\n".join(wrong)
    for room in ROOMS[:-1]:
        assert (ROOT / "flowbridge" / room).resolve() == ROOT / room


@pytest.mark.parametrize("room", ROOMS)
def test_imports_only_point_up(room: str) -> None:
    below = ROOMS[ROOMS.index(room) + 1 :]
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for name in imported(path)
        if room_of(name) in below
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", sorted(FORBIDDEN))
def test_a_room_does_not_know_what_it_must_not(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / room).rglob("*.py"))
        for name in imported(path, types_too=False)
        if name.split(".")[0] in FORBIDDEN[room] and path.name != "engine.py"
    ]
    # The engine has one seam (stacks/engine.py); SDKs are for live readers only.
    assert not wrong, "\n".join(wrong)


def test_the_emitters_do_not_import_the_meaning_of_rules() -> None:
    """Emitter and semantics share no code for what a rule means; only the facade names both."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / "providers").rglob("*.py"))
        if "emit" in path.parts
        for name in imported(path)
        if {"meaning", "live"} & set(name.split("."))
    ]
    assert not wrong, "\n".join(wrong)


def test_no_module_has_a_vague_name() -> None:
    assert not [path for path in modules() if VAGUE & set(path.stem.split("_"))]


def test_the_list_of_decisions_has_each_and_the_next_number() -> None:
    folder = ROOT / "docs" / "decisions"
    page = (folder / "README.md").read_text("utf-8")
    numbers = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [name for name in numbers if f"({name})" not in page] == []
    assert f"Next number: {int(numbers[-1][:4]) + 1:04}." in page


def test_no_module_needs_a_tour() -> None:
    """A file that grows past this is more than one concept."""
    long = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in modules()}
    assert not {path: lines for path, lines in long.items() if lines > 700}


@pytest.mark.slow
@pytest.mark.parametrize("room", ["catalog.load", "deployment.resolve", "policy.proof.proof"])
def test_the_upper_rooms_load_neither_jsii_nor_an_sdk(room: str) -> None:
    code = f"import sys, flowbridge.{room}; print(sorted({{m.split('.')[0] for m in sys.modules}}))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    for name in ("jsii", "cdktf", "cdktn", "boto3", "botocore", "azure", "google"):
        assert f"'{name}'" not in loaded


# Made by the thousand and compared in the innermost loops, which is what a NamedTuple is for.
POSITIONAL_RECORDS = {"Flow", "LoweredRule"}
MOST_BY_POSITION = 5


def records(path: Path) -> Iterator[tuple[str, int, bool]]:
    """Each dataclass and NamedTuple of a module: name, number of fields, whether by keyword."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            decorated = " ".join(map(ast.unparse, node.decorator_list))
            if "dataclass" in decorated or "NamedTuple" in map(ast.unparse, node.bases):
                fields = [
                    each
                    for each in node.body
                    if isinstance(each, ast.AnnAssign) and "ClassVar" not in ast.dump(each)
                ]
                yield node.name, len(fields), "kw_only=True" in decorated


def test_records_of_many_fields_are_made_by_keyword() -> None:
    large = {
        name: by_keyword
        for path in modules()
        for name, fields, by_keyword in records(path)
        if fields > MOST_BY_POSITION
    }
    assert len(large) > 50
    assert {name for name, by_keyword in large.items() if not by_keyword} == POSITIONAL_RECORDS


def test_addresses_of_resources_are_taken_apart_in_one_place() -> None:
    """`TerraformAddress` has a kind and a name; nobody else puts the dot in or cuts at it."""
    apart = re.compile(
        r'f"\{kind\}\.\{name\}"|(address|flat|name)\.(r?partition|split)\("\."\)', re.MULTILINE
    )
    known = ROOT / "providers" / "terraform" / "address.py"
    wrong = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in modules()
        if path != known and ROOT / "providers" in path.parents
        for match in apart.finditer(path.read_text("utf-8"))
    ]
    # A field of a log table has dots of its own.
    assert [each for each in wrong if "logs" not in each] == []
