"""Texts of others on a terminal and in what Terraform reads: shown, never obeyed."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from flowbridge.commands import adopt
from flowbridge.legible import legible, one_line
from flowbridge.live_text import _section
from flowbridge.policy.audit.audit import Audit, Summary
from flowbridge.policy.audit.estate import Cause, Unread
from flowbridge.providers.live.contract import Adoption, Import
from flowbridge.results.audit_results import audit_outcome
from flowbridge.results.sarif import sarif
from tests.deployment.files import DUAL, setting

ROOT = Path(__file__).parents[2]
CLIPBOARD = "\x1b]52;c;cm0gLXJmIC8=\x07"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (CLIPBOARD, "\\u001b]52;c;cm0gLXJmIC8=\\u0007"),
        ("\x1b[2Jcleared", "\\u001b[2Jcleared"),
        ("\x1b[8mhidden", "\\u001b[8mhidden"),
        ("\x1b[1;8mhidden", "\\u001b[1;8mhidden"),
        ("\x9b2J of eight bits", "\\u009b2J of eight bits"),
        ("over\rwritten", "over\\u000dwritten"),
        ("turned \u202e round", "turned \\u202e round"),
        ("\x1b[31m\x1b[1mours\x1b[0m", "\x1b[31m\x1b[1mours\x1b[0m"),
        ("two\n\tlines, 三", "two\n\tlines, 三"),
    ],
)
def test_what_a_terminal_obeys_is_shown(text: str, shown: str) -> None:
    assert legible(text) == shown


def test_json_reads_back_what_was_shown() -> None:
    text = json.dumps("\\\x7f\u2066", ensure_ascii=False)
    assert json.loads(legible(text)) == "\\\x7f\u2066"


def test_a_line_end_in_a_live_text_makes_no_line_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _section("rules that are not ours:", ["sgr-1 (of deployment lab\nlab: clean)"])
    assert capsys.readouterr().out.splitlines()[1] == "    sgr-1 (of deployment lab lab: clean)"
    assert one_line("a\r\nb\x85c\u2028d") == "a b c d"


def test_adopted_texts_stay_comments_and_ids_stay_texts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hostile = 'x\nresource "a" "b" {}'
    found = Adoption(
        imports=(),
        creates=(hostile,),
        changes=(("a.b", hostile),),
        left=(hostile,),
        unread=(),
        conflicts=(("a.b", hostile),),
    )
    adopt._print_plan(found, None)
    assert all(line.startswith("#") for line in capsys.readouterr().out.splitlines())
    evaluated = Adoption(
        imports=(Import("a.b", '${file("x")}%{ if true }', "why"),),
        creates=(),
        changes=(),
        left=(),
        unread=(),
    )
    assert r'id = "$${file(\"x\")}%%{ if true }"' in adopt._blocks(evaluated)
    [block] = json.loads(adopt._json(evaluated))["import"]
    assert block["id"] == '$${file("x")}%%{ if true }'


def test_the_name_of_a_group_is_no_link_of_a_finding() -> None:
    unread = Unread(
        scope="account 1",
        call="ec2:X",
        cause=Cause.FAILED,
        message="[Fix it](https://evil.example)",
    )
    audit = Audit(
        scope="account 1",
        opened=(),
        refused=(),
        missing=(),
        changed=(),
        unmanaged=(),
        deviations=(),
        untold=(),
        absent=(),
        unread=(unread,),
        notes=(),
        summary=Summary(
            planned=0,
            carried=0,
            missing=0,
            changed=0,
            unmanaged=0,
            packets_opened=0,
            packets_refused=0,
        ),
        read={},
    )
    assert "](" not in json.dumps(sarif(audit_outcome({"site.yaml": audit})))


@pytest.mark.slow
@pytest.mark.parametrize("words", [("-m", "flowbridge", "check", "site.yaml"), ("main.py",)])
def test_keys_of_a_file_move_no_cursor(tmp_path: Path, words: tuple[str, ...]) -> None:
    data = setting(DUAL, **{f"a{CLIPBOARD}b": 1})
    (tmp_path / "site.yaml").write_text(json.dumps(data), "utf-8")
    where = {"FLOWBRIDGE_DEPLOYMENTS": "site.yaml", "PYTHONPATH": str(ROOT)}
    script = [str(ROOT / word) if word == "main.py" else word for word in words]
    done = subprocess.run(
        [sys.executable, *script],
        cwd=tmp_path,
        env={**os.environ, **where},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "a\\u001b]52;" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("profile", "shown"),
    [
        ("[/x]\x1b[2J", "'[/x]\\x1b[2J' is no name of a profile"),  # no profile has brackets
        (":warning:", "profile :warning:"),
    ],
    ids=["brackets", "emoji"],
)
def test_a_place_named_like_markup_is_no_markup(tmp_path: Path, profile: str, shown: str) -> None:
    """The bar on a terminal names the profile, in which `[/x]` ended the command."""
    data = setting(DUAL, provider={"profile": profile})
    (tmp_path / "site.yaml").write_text(json.dumps(data), "utf-8")
    reading, writing = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "flowbridge", "audit", str(tmp_path / "site.yaml"),
         "--endpoint-url", "http://127.0.0.1:9", "--attempts", "1", "--timeout", "1"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=writing, text=True, check=False,
        env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(writing)
    said = os.read(reading, 100_000).decode()
    assert done.returncode == 2
    assert shown in said
    assert "internal error" not in said
    assert "\x1b[2J" not in said
