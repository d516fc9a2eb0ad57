"""What is published: built twice it has the same bytes, and it says of itself what is so.

Nothing here is installed; `make release` runs it (`python -m release`).
"""
