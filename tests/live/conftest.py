"""The count of what the audits of all clouds were shown, at the end of the run."""

from __future__ import annotations

from collections import Counter

import pytest

_FOUND = "harmful changes found"
_PLANTED = "planted live situations told"
_SILENT = "harmless changes not reported"


def _kind(name: str) -> str | None:
    if "test_planted" in name:
        return _SILENT if "::test_planted_no_harm" in name else _PLANTED
    if "::test_harm_" in name:
        return _FOUND
    if "::test_no_harm_" in name:
        return _SILENT
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counted: Counter[tuple[str, bool]] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, ()):
            kind = _kind(report.nodeid)
            if kind is not None and report.when == "call":
                counted[kind, outcome == "passed"] += 1
    for kind in (_FOUND, _PLANTED, _SILENT):
        right, wrong = counted[kind, True], counted[kind, False]
        if right or wrong:
            terminalreporter.write_line(f"live audit: {right} of {right + wrong} {kind}")
