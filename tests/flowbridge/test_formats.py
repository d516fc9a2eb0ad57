"""One test for each format for programs, through the command in a process of its own."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "emea-edge.yaml"
MARK = "hunter2"
WITH_PASSWORD = (
    EXAMPLE.read_text("utf-8")
    + f"provider:\n  endpoints: {{ec2: 'https://joe:{MARK}@ec2.example.com:8443/x'}}\n"
)


def command(*words: str | os.PathLike[str], cwd: Path = ROOT) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-m", "flowbridge", *words],
        capture_output=True,
        cwd=cwd,
        env=environment,
        timeout=100,
        check=False,
    )


def test_csv_of_the_catalog() -> None:
    out = command("catalog", "export", "--format", "csv").stdout
    assert b"u000d" not in out
    assert out.endswith(b"\r\n")
    header, *rows = csv.reader(io.StringIO(out.decode("utf-8"), newline=""))
    assert header[0] == "id"
    assert {len(row) for row in rows} == {len(header)}


@pytest.mark.parametrize(
    "words",
    [
        ("catalog", "export", "--format", "json"),
        ("catalog", "notes", "--format", "json"),
        ("schema",),
        ("check", str(EXAMPLE), "--format", "json"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_json(words: tuple[str, ...]) -> None:
    run = command(*words)
    assert run.returncode == 0, run.stderr
    json.loads(run.stdout.decode("utf-8"))


def test_csv_of_flows() -> None:
    out = command("flows", EXAMPLE, "--format", "csv").stdout
    assert b"u000d" not in out
    rows = list(csv.reader(io.StringIO(out.decode("utf-8"), newline="")))
    assert len(rows) > 1
    assert len({len(row) for row in rows}) == 1


def test_json_with_a_file_name_that_is_no_utf8(tmp_path: Path) -> None:
    name = os.fsdecode(b"site-\xff.yaml")
    (tmp_path / name).write_text("name: x\n", encoding="utf-8")
    run = command("check", name, "--format", "json", cwd=tmp_path)
    assert run.returncode == 2
    answer = json.loads(run.stdout.decode("utf-8"))
    assert {problem["file"] for problem in answer["problems"]} == {name}


def test_passwords_of_urls_are_never_printed(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(WITH_PASSWORD, encoding="utf-8")
    page = tmp_path / "page.html"
    runs = [
        command("check", file),
        command("check", file, "--format", "json"),
        command("report", file, "-o", page),
        command("audit", file, "--endpoint-url", f"ftp://joe:{MARK}@ec2.example.com"),
    ]
    assert b"ec2.example.com" in runs[0].stdout
    for run in runs:
        assert MARK.encode() not in run.stdout + run.stderr
    assert MARK not in page.read_text("utf-8")


def test_the_report_runs_its_own_script_alone(tmp_path: Path) -> None:
    import base64
    import hashlib

    page = tmp_path / "page.html"
    assert command("report", EXAMPLE, "-o", page).returncode == 0
    text = page.read_text("utf-8")
    script = text.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert "script-src 'unsafe-inline'" not in text


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes with a name there")
def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    site = tmp_path / "site.yaml"
    site.write_text(EXAMPLE.read_text("utf-8") + "overlays: [pipe.yaml]\n", encoding="utf-8")
    for words in (
        ("check", tmp_path / "pipe.yaml"),
        ("check", site),
        ("check", EXAMPLE, "--synthesized", tmp_path / "pipe.yaml"),
    ):
        run = command(*words)
        assert run.returncode == 2
        assert b"pipe" in run.stderr
        assert b"internal" not in run.stderr


def test_nothing_is_shown_of_a_file_outside_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text(f"root:{MARK}:1\nfoo: [\n", encoding="utf-8")
    folder = tmp_path / "deployments"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secrets")
    for name in ("../secrets", str(tmp_path / "secrets"), "link"):
        site = folder / "site.yaml"
        text = EXAMPLE.read_text("utf-8") + f"overlays: [{name}]\n"
        site.write_text(text, encoding="utf-8")
        for answer in ("text", "json"):
            run = command("check", site, "--format", answer)
            said = run.stdout + run.stderr
            assert run.returncode == 2
            assert MARK.encode() not in said
            assert b"outside the deployment's folder" in said
