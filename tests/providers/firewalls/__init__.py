"""Firewalls on the way: every kind against its own reader, and nftables against the kernel."""
