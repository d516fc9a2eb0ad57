"""Many deployments in one `check`: the answer of one process, whoever judged them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flowbridge.catalog.reading import cache_folder
from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.cli import flowbridge
from flowbridge.fleet import parts, run
from flowbridge.fleet.footprint import Footprint, meeting
from flowbridge.fleet.run import Fleet, check_fleet
from flowbridge.stacks import pipeline
from tests.overlay_text import OVERLAY

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = ("azure-edge", "gcp-policy", "split-core", "split-edge", "gcp-edge")


@pytest.fixture
def sites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Copies of five examples, of which two are halves, and an empty folder of what is kept."""
    monkeypatch.setenv(cache_folder.VARIABLE, str(tmp_path / "kept"))
    folder = tmp_path / "sites"
    folder.mkdir()
    copies = []
    for name in SMALL:
        copies.append(folder / f"{name}.yaml")
        shutil.copy(EXAMPLES / f"{name}.yaml", copies[-1])
    return copies


def ask(files: Sequence[Path], jobs: int = 1, *, keep_going: bool = False) -> Fleet:
    return check_fleet(files, plain=True, keep_going=keep_going, jobs=jobs)


def in_turn(files: Sequence[Path], *, keep_going: bool = False) -> Fleet:
    """The answer of one process that holds all of them at once."""
    return run._one_after_the_other(files, plain=True, keep_going=keep_going)


def said(fleet: Fleet) -> object:
    """As a program reads it: what was kept has been JSON once."""
    return json.loads(
        json.dumps(
            [
                [each.as_plain() for each in fleet.sites],
                [each.as_plain() for each in fleet.rehearsals],
                [each.plain for each in fleet.disagreements],
                [str(each) for each in fleet.refused],
            ]
        )
    )


def none_judged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, ...]]:
    """The files that are judged from now on."""
    judged: list[tuple[Path, ...]] = []
    real = parts.judged

    def judge(files: Sequence[Path], *, plain: bool) -> parts.Part:
        judged.append(tuple(files))
        return real(files, plain=plain)

    monkeypatch.setattr(parts, "judged", judge)
    return judged


def test_one_process_many_and_what_is_kept_say_the_same(
    sites: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    due = said(in_turn(sites))
    monkeypatch.setattr(run, "_FEWEST_EACH", 1)
    assert said(ask(sites, jobs=2)) == due
    judged = none_judged(monkeypatch)
    assert said(ask(sites)) == due
    assert not judged
    monkeypatch.setenv(cache_folder.VARIABLE, cache_folder.OFF)
    assert said(ask(sites)) == due
    assert judged


def test_halves_are_judged_together_and_strangers_alone(
    sites: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    core = sites[2]
    core.write_text(core.read_text("utf-8").replace("size: medium", "size: large"), "utf-8")
    judged = none_judged(monkeypatch)
    found = ask(sites)
    assert found.disagreements
    assert (sites[2], sites[3]) in judged
    assert all(sites[1] not in files for files in judged if len(files) > 1)
    assert said(found) == said(in_turn(sites))


@pytest.mark.parametrize("keep_going", [False, True])
def test_what_is_refused_is_told_as_by_one_process(sites: list[Path], keep_going: bool) -> None:
    broken, twice = sites[0].parent / "broken.yaml", sites[0].parent / "twice.yaml"
    broken.write_text(sites[0].read_text("utf-8").replace("size: large", "size: huge"), "utf-8")
    shutil.copy(sites[1], twice)
    files = [*sites[:2], broken, *sites[2:], twice]
    if keep_going:
        assert said(ask(files, keep_going=True)) == said(in_turn(files, keep_going=True))
        return
    with pytest.raises(BadFileError) as one:
        in_turn(files)
    with pytest.raises(BadFileError) as many:
        ask(files)
    assert str(many.value) == str(one.value)
    assert "huge" in str(one.value)
    assert "has the name" in str(one.value)


def _edit(change: Callable[[str], str]) -> Callable[[Path], None]:
    def edit(file: Path) -> None:
        file.write_text(change(file.read_text("utf-8")), "utf-8")

    return edit


@pytest.mark.parametrize("read", ["site.yaml", "overlay.yaml", "common.yaml", "accepted.yaml"])
def test_a_changed_file_is_judged_anew(
    sites: list[Path], monkeypatch: pytest.MonkeyPatch, read: str
) -> None:
    folder = sites[0].parent
    text = sites[0].read_text("utf-8")
    (folder / "overlay.yaml").write_text(OVERLAY, "utf-8")
    (folder / "common.yaml").write_text("platform: vm\n", "utf-8")
    (folder / "accepted.yaml").write_text("[]\n", "utf-8")
    site = folder / "site.yaml"
    more = "extends: common.yaml\noverlays: [overlay.yaml]\naccept: accepted.yaml\n"
    site.write_text(text.replace("name: azure-edge", "name: another") + more, "utf-8")
    files = [site, *sites[1:]]
    ask(files)
    judged = none_judged(monkeypatch)
    ask(files)
    assert not judged
    _edit(lambda content: f"# read anew\n{content}")(folder / read)
    assert said(ask(files)) == said(in_turn(files))
    assert [files for files in judged if len(files) == 1] == [(site,)]


def test_another_day_program_or_setting_finds_nothing(
    sites: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = sites[1:2]
    ask(file)
    judged = none_judged(monkeypatch)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    ask(file)
    monkeypatch.setattr(parts, "program_digest", lambda: "another")
    ask(file)
    monkeypatch.setenv("FLOWBRIDGE_ANYTHING", "1")
    ask(file)
    assert len(judged) == 3


def test_a_process_that_dies_is_made_up_for(
    sites: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, real = os.getpid(), parts.judged

    def dies_elsewhere(files: Sequence[Path], *, plain: bool) -> parts.Part:
        if os.getpid() != here:
            os._exit(9)
        return real(files, plain=plain)

    monkeypatch.setattr(run, "_FEWEST_EACH", 1)
    monkeypatch.setattr(parts, "judged", dies_elsewhere)
    assert said(ask(sites, jobs=2)) == said(in_turn(sites))


def test_those_that_have_something_in_common_are_a_group() -> None:
    def one(
        *own: str,
        runs: tuple[tuple[str, str], ...] = (),
        meets: tuple[tuple[str, str], ...] = (),
    ) -> Footprint:
        return Footprint(own, runs, meets)

    card = one("name a", runs=(("cucm", "10.0.0.5/32"),))
    assert meeting([card, one("name b", meets=(("imp", "10.0.0.5/32"),))]) == [[0, 1]]
    assert meeting([card, one("name b", meets=(("cucm", "10.0.0.0/24"),))]) == [[0, 1]]
    # A network that holds a host names nobody by another name (`between_deployments`).
    assert meeting([card, one("name b", meets=(("admin-pc", "10.0.0.0/24"),))]) == [[0], [1]]
    tier = one("name c", runs=(("phone", "10.0.0.0/24"),))
    assert meeting([tier, one("name b", meets=(("imp", "10.0.0.8/30"),))]) == [[0, 1]]
    assert meeting([one("name a"), one("name b"), one("name a")]) == [[1], [0, 2]]
    chain = [one("x", "y"), one("z"), one("y", "w"), one("w")]
    assert meeting(chain) == [[1], [0, 2, 3]]


def answer(*words: str) -> Result:
    return CliRunner().invoke(flowbridge, list(words))


def shards(files: Sequence[Path], count: int) -> list[str]:
    """The answers of all shares, each in a file of its own."""
    names = list(map(str, files))
    written = []
    for number in range(1, count + 1):
        path = files[0].parent / f"{number}.json"
        path.write_text(answer("check", *names, "--shard", f"{number}/{count}").stdout, "utf-8")
        written.append(str(path))
    return written


@pytest.mark.parametrize("form", ["text", "json", "junit"])
def test_shards_merge_to_the_answer_of_all(sites: list[Path], form: str) -> None:
    core = sites[2]
    core.write_text(core.read_text("utf-8").replace("size: medium", "size: large"), "utf-8")
    whole = answer("check", *map(str, sites), "--format", form)
    parts = shards(sites, 3)
    merged = answer("merge", *reversed(parts), "--format", form)
    assert merged.exit_code == whole.exit_code == 1  # the halves do not agree
    assert merged.stdout == whole.stdout


def test_shards_that_do_not_fit_are_refused(sites: list[Path]) -> None:
    parts = shards(sites, 2)

    def told(*words: str) -> str:
        result = answer("merge", *words)
        assert result.exit_code == 2
        return result.output

    assert "the shards 1/2, 2/2 are needed" in told(parts[0])
    assert "each once" in told(parts[0], parts[0])
    other = Path(parts[1])
    data = json.loads(other.read_text("utf-8"))
    other.write_text(json.dumps({**data, "program": "another"}), "utf-8")
    assert "another version" in told(*parts)
    other.write_text(json.dumps({**data, "day": "1970-01-01"}), "utf-8")
    assert "1970-01-01" in told(*parts)
    other.write_text(json.dumps({**data, "parts": [1]}), "utf-8")
    assert "not whole" in told(*parts)
    other.write_text("{}", "utf-8")
    assert "no answer of `flowbridge check --shard" in told(*parts)
    other.write_text(json.dumps(data), "utf-8")
    sites[0].write_text(sites[0].read_text("utf-8") + "# changed\n", "utf-8")
    assert "not as it was" in told(*parts)
    assert "write I/N" in answer("check", str(sites[0]), "--shard", "3/2").output


def test_what_cannot_be_judged_is_told_and_not_lost(
    sites: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> object:
        raise ValueError("not judged: a rule of two kinds")

    monkeypatch.setattr(pipeline, "judge", refuse)
    with pytest.raises(BadFileError, match="a rule of two kinds"):
        ask(sites)
