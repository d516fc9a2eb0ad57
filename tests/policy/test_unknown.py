"""What is unknown is a value: no code reads its words back."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowbridge.policy import unknown
from flowbridge.policy.unknown import Unknown, Why

ROOT = Path(__file__).parents[2]
ROOMS = ("catalog", "deployment", "policy", "providers", "stacks", "flowbridge")


@pytest.mark.parametrize("why", list(Why))
def test_every_reason_has_words(why: Why) -> None:
    assert str(Unknown("rule r", "the thing", why)).startswith("rule r: ")
    assert "the thing" in str(Unknown("rule r", "the thing", why))


@pytest.mark.parametrize("why", [why for why in Why if why is not Why.MEANING])
def test_the_words_stand_in_one_module_alone(why: Why) -> None:
    """Rewording them changes what people read and no verdict."""
    words = unknown._SENTENCES[why].replace("{what}", "").strip(" :")
    modules = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    found = [path.name for path in modules if words in path.read_text("utf-8")]
    assert found == ["unknown.py"]
