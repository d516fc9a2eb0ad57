"""The report: self-contained, safe against names in the file, and every flow on the map."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from flowbridge.cli import flowbridge
from flowbridge.report.connection_map import BOX_HEIGHT, BOX_WIDTH, connection_map
from flowbridge.report.paper import rows_on_paper
from flowbridge.stacks.pipeline import build, load
from tests.deployment.files import DUAL, resolved, setting
from tests.overlay_text import OVERLAY

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    target = tmp_path_factory.mktemp("report") / "site.html"
    words = ["report", str(EXAMPLES / "edge-cluster.yaml"), "-o", str(target)]
    result = CliRunner().invoke(flowbridge, words)
    assert result.exit_code == 0, result.output
    assert not target.with_name("site.html.part").exists()
    return target.read_text(encoding="utf-8")


LIBRARY = (Path(connection_map.__code__.co_filename).parent / "elk.bundled.js").read_text("utf-8")


def test_nothing_is_loaded_from_elsewhere(text: str) -> None:
    assert LIBRARY in text
    text = text.replace(LIBRARY, "")
    assert not re.search(r"(?:src|href)=(?![\"']?#)", text)
    assert "@import" not in text
    assert "url(" not in re.sub(r"url\(#tip\)", "", text)


def test_every_flow_is_in_the_table_and_its_line_on_the_map(text: str) -> None:
    resolution = load(EXAMPLES / "edge-cluster.yaml")
    assert text.count("<tr data-line=") == len(resolution.flows)
    lines = set(re.findall(r'class="line" id="([^"]+)"', text))
    assert set(re.findall(r'data-line="([^"]+)"', text)) == lines


def test_boxes_do_not_overlap_and_do_not_depend_on_order() -> None:
    resolution = build(load(EXAMPLES / "edge-cluster.yaml")).resolution
    drawn = connection_map(resolution.interfaces, resolution.flows)
    by_column: dict[int, list[int]] = {}
    for box in drawn.boxes:
        by_column.setdefault(box.x, []).append(box.y)
    for places in by_column.values():
        places.sort()
        assert all(b - a >= BOX_HEIGHT for a, b in itertools.pairwise(places))
    assert connection_map(resolution.interfaces[::-1], resolution.flows[::-1]).lines == drawn.lines


def test_a_range_of_ipv6_is_no_host() -> None:
    """A host of IPv4 goes without its /32; a /32 of IPv6 is a whole provider's range."""
    site = resolved(
        setting(
            DUAL,
            network__tiers__internal__cidrs=["10.0.10.0/24", "2001:db8::/32"],
            systems__cucm__addresses=["10.0.10.21", "2001:db8::/32"],
        )
    )
    drawn = connection_map(site.interfaces, site.flows)
    (box,) = [box for box in drawn.boxes if box.key == "cucm/single"]
    assert box.detail == "10.0.10.21, 2001:db8::/32"


def test_the_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "no" / "such" / "folder.html"
    words = ["report", str(EXAMPLES / "emea-edge.yaml"), "-o", str(target)]
    result = CliRunner().invoke(flowbridge, words)
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_a_link_beside_the_page_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("theirs")
    target = tmp_path / "site.html"
    target.with_name("site.html.part").symlink_to(other)
    words = ["report", str(EXAMPLES / "edge-cluster.yaml"), "-o", str(target)]
    assert CliRunner().invoke(flowbridge, words).exit_code == 0
    assert other.read_text() == "theirs"
    assert not target.is_symlink()


def test_texts_of_an_overlay_are_texts_on_the_page(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror='alert(1)'>\"><b>"
    (tmp_path / "own.yaml").write_text(OVERLAY.replace("Door events", json.dumps(hostile)))
    data = setting(
        DUAL,
        overlays=["own.yaml"],
        services=["traversal-pair", "badge-readers"],
        **{"systems__badge-reader": {"addresses": ["10.30.0.0/24"]}},
    )
    (tmp_path / "site.yaml").write_text(json.dumps(data))
    words = ["report", str(tmp_path / "site.yaml"), "-o", "-"]
    text = CliRunner().invoke(flowbridge, words).stdout
    assert "&lt;script&gt;alert(1)" in text
    assert text.count("<script") == 2, "the library and our own"
    assert "<img" not in text


def test_rules_have_their_source_ports_where_the_cloud_matches_them(
    text: str, tmp_path: Path
) -> None:
    target = tmp_path / "azure.html"
    words = ["report", str(EXAMPLES / "azure-edge.yaml"), "-o", str(target)]
    assert CliRunner().invoke(flowbridge, words).exit_code == 0
    azure = target.read_text(encoding="utf-8").split('id="rules"')[1].split('id="limits"')[0]
    assert "Source ports" in azure
    assert "25000-29999" in azure, "SIP from Expressway-C, row 11/1"
    assert "Source ports" not in text.split('id="rules"')[1].split('id="limits"')[0]


def test_boxes_are_buttons_with_a_name_for_those_who_hear_the_page(text: str) -> None:
    """A picture (`role="img"`) has no parts: its boxes would be unreachable."""
    assert 'role="img"' not in text
    boxes = re.findall(r'<g class="box"[^>]*>', text)
    assert boxes
    assert all('role="button"' in box and 'aria-label="' in box for box in boxes)
    assert 'aria-label="expressway-c 10.2.10.11, 10.2.10.12, +1 internal, managed here"' in text


def test_tables_that_scroll_are_reached_by_keyboard_and_headings_have_a_scope(text: str) -> None:
    assert not re.search(r'<div class="scroll">', text)
    assert "<th>" not in text


def test_paper_has_every_column_and_no_dark_ground(text: str) -> None:
    paper = text.split("@media print {")[1].split("</style>")[0]
    assert ".scroll { overflow:visible }" in paper
    assert ".on-paper { display:block" in paper
    assert "min-width:0" in paper
    assert "@media (prefers-color-scheme: dark)" not in text


def test_paper_has_every_rule_flow_and_row_once_more_in_short(text: str) -> None:
    """The long tables are not printed; what takes their place loses nothing."""
    built = build(load(EXAMPLES / "edge-cluster.yaml"))
    blocks = text.split('<div class="on-paper">')[1:]
    lines = {line for block in blocks for line in re.findall(r"<p>(.*?)(?: <i>|</p>)", block)}
    for rule in built.lowered.rules:
        number = "" if rule.priority is None else f" {rule.priority}"
        wanted = f"{rule.action}{number}: {rule.peer} {rule.protocol} {rule.destination_ports}"
        rows = f" · {', '.join(rule.rows)}" if rule.rows else ""
        assert wanted.strip() + rows in lines
    for one in built.lowered.excess:
        assert {str(block) for block in one.packets.boxes()} <= lines
    for flow in built.resolution.flows:
        ports = ", ".join(map(str, flow.destination_ports))
        assert any(
            line.startswith(flow.protocol.label) and f"{ports} · {', '.join(flow.rows)}" in line
            for line in lines
        )
    printed = set(re.findall(r'<details class="row" id="row-([^"]+)"', text))
    assert printed <= {line.partition(":")[0].partition(" ")[0] for line in lines}
    assert "table 11, https://www.cisco.com/" in text


def test_a_row_that_the_edition_counts_otherwise_says_so_on_paper() -> None:
    record = {
        "id": "cucm/1/37",
        "cited": "Port Usage, 14, “Intracluster”, row 8",
        "address": None,
        "purpose": {"en": "Sync", "ja": None},
        "source": "Unified CM",
        "source_ports": None,
        "destination": None,
        "protocol_printed": "TCP",
        "destination_ports": [{"ports": "8080"}],
        "notes": ["A note."],
        "errata": [{"id": "cucm/1/37", "what": "No.", "why": "So."}],
    }
    (group,) = rows_on_paper([record])
    assert group.title == "Port Usage, 14, “Intracluster”"
    (line,) = group.lines
    assert line.text == (
        "cucm/1/37 (row 8): Unified CM – → – TCP 8080 · Note: A note. · Erratum cucm/1/37: No. So."
    )


def test_the_answer_stands_first_and_the_head_says_what_it_is_about(text: str) -> None:
    order = ['class="answer"', *(f'id="{name}"' for name in ("todo", "internet", "flows", "rules"))]
    places = [text.index(mark) for mark in order]
    assert places == sorted(places)
    file = EXAMPLES / "edge-cluster.yaml"
    assert f"sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}" in text
    assert re.search(r"<p class=\"dim\">\d{4}-\d\d-\d\d · flowbridge ", text)


def test_each_row_id_opens_the_row_as_printed(text: str) -> None:
    named = set(re.findall(r'href="#row-([^"]+)"', text))
    there = set(re.findall(r'<details class="row" id="row-([^"]+)"', text))
    assert named
    assert named <= there
    row = text.split('id="row-expressway/11/5"')[1].split("</details>")[0]
    assert "table 11, row 5" in row
    assert "https://www.cisco.com/" in row


def test_the_policy_lets_in_its_own_style_and_script_only(text: str) -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    assert "unsafe-inline" not in policy
    for tag, number in (("style", 1), ("script", 2)):
        contents = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(contents) == number
        digests = [hashlib.sha256(content.encode()).digest() for content in contents]
        allowed = " ".join(f"'sha256-{base64.b64encode(each).decode()}'" for each in digests)
        assert f"{tag}-src {allowed};" in policy
    assert not re.search(r'<[^>]+ style="', text.replace(LIBRARY, ""))


def test_every_word_of_the_page_is_there_in_japanese(text: str) -> None:
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", text)
    assert headings
    assert all('class="ja" lang="ja"' in heading for heading in headings)


def test_several_deployments_are_an_overview(tmp_path: Path) -> None:
    audit = {"deployments": [{"name": "split-edge", "verdict": "drift", "unintended": [1, 2]}]}
    (tmp_path / "audit.json").write_text(json.dumps(audit))
    target = tmp_path / "fleet.html"
    sites = [str(EXAMPLES / f"split-{half}.yaml") for half in ("edge", "core")]
    words = ["report", *sites, "-o", str(target), "--audit", str(tmp_path / "audit.json")]
    result = CliRunner().invoke(flowbridge, words)
    assert result.exit_code == 0, result.output
    page = target.read_text("utf-8")
    for part in ("services", "exposure", "quotas", "drift", "disagreements", "editions"):
        assert f'id="{part}"' in page
    drift = page.split('id="drift"')[1].split("</table>")[0]
    assert re.search(r'split-edge</td><td class="bad">drift</td><td class="number">2', drift)
    assert "not audited" in drift
    (tmp_path / "audit.json").write_text("[]")
    assert CliRunner().invoke(flowbridge, words).exit_code == 2


def test_no_line_runs_behind_a_box_that_it_does_not_join() -> None:
    """Sampled along each curve: past a column a line goes between its boxes."""
    resolution = load(EXAMPLES / "edge-cluster.yaml")
    drawn = connection_map(resolution.interfaces, resolution.flows)
    for line in drawn.lines:
        others = [box for box in drawn.boxes if box.key not in (line.source, line.destination)]
        for x, y in points(line.path):
            for box in others:
                inside = box.x < x < box.x + BOX_WIDTH and box.y < y < box.y + BOX_HEIGHT
                assert not inside, f"{line.source} to {line.destination} behind {box.key}"


def points(path: str) -> Iterator[tuple[float, float]]:
    """Points along a path of M, C and L."""
    here = (0.0, 0.0)
    for kind, numbers in re.findall(r"([MCL])([^MCL]+)", path):
        pairs = [tuple(map(float, pair.split(","))) for pair in numbers.split()]
        ends = [(pair[0], pair[1]) for pair in pairs]
        if kind == "C":
            one, other, end = ends
            for step in range(1, 21):
                t = step / 20
                a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
                yield (
                    a * here[0] + b * one[0] + c * other[0] + d * end[0],
                    a * here[1] + b * one[1] + c * other[1] + d * end[1],
                )
        elif kind == "L":
            (end,) = ends
            yield ((here[0] + end[0]) / 2, (here[1] + end[1]) / 2)
        here = ends[-1]
