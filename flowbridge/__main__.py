"""`flowbridge` and `python -m flowbridge`."""

from __future__ import annotations

from flowbridge.cli import main

if __name__ == "__main__":
    main()
