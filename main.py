"""The CDKTF app: deployment files in, one stack per site out.

`FLOWBRIDGE_DEPLOYMENTS` names the files (paths or globs, separated by `:`), or the context key
`deployments` in `cdktf.json`. Everything is checked and proved first; where anything fails,
nothing is written. Exit codes: 0 synthesized, 1 a failed test or proof, 2 bad input.
"""

from __future__ import annotations

from pathlib import Path

from flowbridge.app import run

if __name__ == "__main__":
    run(
        Path(__file__).resolve().parent,
        "Run `make synth` once: it makes .venv from the lock; then `.venv/bin/python main.py` and "
        "`cdktf synth` work.",
    )
