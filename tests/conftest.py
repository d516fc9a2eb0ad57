"""How the suite runs: from kept byte code, what takes longest first, no core idle."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Final

import pytest
import yaml
from hypothesis import HealthCheck, settings
from pydantic import ValidationError

from flowbridge import answer
from tests.kept import keep_what_was_built

keep_what_was_built()

# The programs that tests start run from kept byte code, as on any machine after the first run.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# What they keep is kept here, and not in the home of whoever runs the tests.
_KEPT: Final = Path(__file__).parents[1] / ".cache" / "kept"
_KEPT.mkdir(mode=0o700, parents=True, exist_ok=True)
os.environ["FLOWBRIDGE_CACHE"] = str(_KEPT)
# Terraform's AWS provider has a large schema, and to go through it at every turn of Go's collector
# takes a third of all its time: it is left alone until a gigabyte and a half is used.
os.environ.setdefault("GOGC", "off")
os.environ.setdefault("GOMEMLIMIT", "1500MiB")
# A suite that a shell started in the background is deaf to Ctrl-C, and so would be the commands
# that it interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is slow and not wrong: no property is judged by a time, and none of its inputs is
# given up because making it took long. `thorough` tries every property ten times as often.
_UNHURRIED: Final = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", _UNHURRIED)
settings.register_profile("thorough", _UNHURRIED, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

_say_json: Final = answer.say_json


def _say_held_json(data: object, name: answer.AnswerName) -> None:
    """Every JSON answer in this process is held to its contract before it is said."""
    from flowbridge.answers.contract import hold
    from flowbridge.stacks.provenance import with_provenance

    try:
        hold(name, json.dumps(with_provenance(data), default=str))
    except ValidationError as error:
        advice = "add a new key to its model in flowbridge/answers and run `make docs`"
        pytest.fail(f"the answer {name} breaks its contract ({advice}): {error}")
    _say_json(data, name)


# Commands are imported after this file, and so take this one.
vars(answer)["say_json"] = _say_held_json

# Each file runs on one core (`--dist loadfile`), so that what it set up is not set up twice; these
# start first, in this order, so that no core waits for one of them at the end.
LONGEST_FIRST: Final = (
    "test_lifecycle.py",
    "test_cdktf_cli.py",
    "test_pages.py",
    "test_faults.py",
    "test_commands.py",
    "test_schemas.py",
    "test_reading.py",
    "test_adopt_with_terraform.py",
    "test_validate.py",
)


KNOWN_FAILURES: Final[dict[str, str]] = (
    yaml.safe_load(Path(__file__).with_name("known_failures.yaml").read_text("utf-8")) or {}
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        name = item.nodeid.partition("[")[0]
        reason = KNOWN_FAILURES.get(item.nodeid) or KNOWN_FAILURES.get(name)
        if reason is not None:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=False))

    def rank(item: pytest.Item) -> int:
        name = item.path.name
        return LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=rank)


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: some tests wait for a server that keeps silent on purpose."""
    return (os.cpu_count() or 1) + 1
