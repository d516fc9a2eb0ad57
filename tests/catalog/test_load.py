"""The loader: lazily, once, and with file and line for every fault."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from flowbridge.catalog import load as loading
from flowbridge.catalog.load import OURS, Catalog, TableFile, load
from flowbridge.catalog.reading.located_model import read_model
from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.catalog.release_default import release_defaults
from flowbridge.catalog.row import Disposition

SERVICES = {
    "single-system": [4], "traversal-pair": [5, 6], "smart-licensing": [7], "cluster": [8, 9, 10],
    "sip-calls": [11], "h323-calls": [12], "tms": [13], "ldap": [14], "mra": [15, 16, 17, 18, 19],
    "jabber-guest": [20, 21], "microsoft-interop": [22], "imp-federation-microsoft": [23],
    "cms-web-proxy": [24], "cms-sip-edge": [25], "cms-sip-edge-microsoft": [26],
    "cms-microsoft-p2p": [27], "xmpp-federation": [28], "serviceability": [29], "acme": [30],
    "email-notification": [1], "cucm-cluster": [1], "cucm-common": [2], "cucm-ldap": [3],
    "cucm-web": [4], "cucm-phone-web": [5], "cucm-phones": [6], "cucm-gateways": [7],
    "cucm-applications": [8], "cucm-ctl": [9], "cucm-smart-licensing": [10], "hp-server": [11],
    "imp": list(range(1, 28)), "unity": [1, 2], "webex-hybrid": [1, 2, 3],
}  # fmt: skip


def test_services_are_defined_by_their_tables() -> None:
    catalog = load()
    here = {
        name: [table.table for table in catalog.tables_of(name) if table.document != OURS]
        for name in catalog.services
    }
    assert here == {**SERVICES, "sip-trunk": [], "cms-server": []}


def test_rows_are_found_by_id() -> None:
    catalog = load()
    entry = catalog.entry("expressway/11/5")
    assert (entry.table.table, entry.row.row, entry.added) == (11, 5, None)
    added = catalog.entry("expressway/11/+1")
    assert added.added is not None
    assert added.added.id == added.id
    for wrong in ("expressway/11/18", "expressway/31/1", "cucm", "nothing/1/1", "expressway/x/1"):
        with pytest.raises(KeyError):
            catalog.entry(wrong)


def test_ids_are_unique() -> None:
    ids = [entry.id for entry in load().entries()]
    assert len(ids) == len(set(ids))


def test_a_row_that_stays_in_one_host_opens_nothing() -> None:
    local = {e.id for e in load().entries() if e.row.disposition is Disposition.LOCAL}
    assert "cucm/7/19" in local


def test_a_table_is_read_when_somebody_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def watched(path: Path, model: type[BaseModel]) -> BaseModel:
        read.append(path.name)
        return read_model(path, model)

    monkeypatch.setattr(loading, "read_model", watched)
    loading._read_table.cache_clear()
    files = load().files
    catalog = Catalog(files, load().parties, load().parameters)
    assert "mra" in catalog.services
    assert read == []
    catalog.tables_of("cucm-ctl")
    catalog.tables_of("cucm-ctl")
    assert read == ["table-09.yaml"]


def broken(tmp_path: Path, old: str, new: str) -> BadFileError:
    """What is said of the Unified CM table 9 with `old` replaced."""
    source = next(file for file in load().files if file.key == ("cucm", 9))
    path = tmp_path / "table-09.yaml"
    text = source.path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    catalog = Catalog((TableFile(path, "cucm", 9, "cucm-ctl"),), {}, {})
    with pytest.raises(BadFileError) as caught:
        _ = catalog.tables
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ("ports: 2444", "ports: 70000", "destination_ports.alternatives[0].ports", "70000"),
        ("l4: [tcp]", "l4: [tpc]", "protocol.l4[0]", "'tpc' is not a protocol"),
        ("purpose:", "purpos:", "purpos", "did you mean 'purpose'?"),
        ("parties:", "partys:", "source.partys", "did you mean 'parties'?"),
        ("row: 1", "row: none", "row", "'none'"),
        ("rows:", "rowz:", "rowz", "did you mean 'rows'?"),
    ],
)
def test_a_fault_has_its_file_line_and_key(
    tmp_path: Path, old: str, new: str, key: str, words: str
) -> None:
    error = broken(tmp_path, old, new)
    lines = (tmp_path / "table-09.yaml").read_text(encoding="utf-8").split("\n")
    problem = next(problem for problem in error.problems if problem.key.endswith(key))
    assert problem.file.endswith("table-09.yaml")
    assert problem.line is not None
    assert new.split(":")[0] in lines[problem.line - 1]
    assert words in problem.message


def test_all_faulty_files_are_reported_at_once(tmp_path: Path) -> None:
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_text("document: x\n")
    files = (
        TableFile(tmp_path / "one.yaml", "x", 1, None),
        TableFile(tmp_path / "two.yaml", "x", 2, None),
    )
    with pytest.raises(BadFileError) as caught:
        _ = Catalog(files, {}, {}).tables
    assert {Path(problem.file).name for problem in caught.value.problems} == {
        "one.yaml",
        "two.yaml",
    }


def test_two_files_for_one_table_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(loading.ROOT / "cucm", tmp_path / "cucm")
    shutil.copy(tmp_path / "cucm" / "table-09.yaml", tmp_path / "cucm" / "table-12.yaml")
    monkeypatch.setattr(loading, "ROOT", tmp_path)
    with pytest.raises(BadFileError, match="table 9 of cucm is in"):
        load.__wrapped__()


def test_a_file_without_a_head_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "table-01.yaml").write_text("rows: []\n")
    monkeypatch.setattr(loading, "ROOT", tmp_path)
    with pytest.raises(BadFileError, match=r"table-01\.yaml.*starts with `document`"):
        load.__wrapped__()


def test_release_defaults_name_rows() -> None:
    catalog = load()
    for fact, default in release_defaults().items():
        assert fact in catalog.entry(default.row).row.when.facts()


@pytest.mark.slow
def test_the_whole_catalog_loads_without_heavy_imports() -> None:
    """Neither jsii nor a cloud SDK nor a lower room is imported. Its speed is in `bench/`."""
    program = (
        "import sys; from flowbridge.catalog.load import load\n"
        "heavy = {'jsii', 'cdktf', 'boto3', 'azure', 'google', 'flowbridge.deployment'}\n"
        "print(len(list(load().entries())) > 385, sorted(heavy & set(sys.modules)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program],
        cwd=loading.ROOT.parents[1],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.strip() == "True []"


def test_the_version_of_the_data_is_the_newest_of_its_change_log() -> None:
    version = (loading.ROOT / "VERSION").read_text(encoding="utf-8").strip()
    log = (loading.ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = next(line for line in log.splitlines() if line.startswith("## "))
    assert newest == f"## {version}"
