"""The documentation site: the pages of `docs/` and the catalog, row by row, as static files.

Nothing here is installed; `make site` runs it (`python -m website`). What it writes needs no
server, asks no other host for anything, and has the same bytes for one commit.
"""
