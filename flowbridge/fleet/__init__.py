"""Many deployments in one command: each judged by itself, those that meet together."""
