"""Terraform JSON written without an engine: root configurations and modules."""
