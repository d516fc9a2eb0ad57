"""An overlay as a user writes one: a service, a row and a party of their own."""

from __future__ import annotations

OVERLAY = """\
document: acme-corp
tables:
  - table: 1
    service: badge-readers
    title: {en: Badge readers}
    rows:
      - row: 1
        purpose: {en: Door events}
        source: {parties: [{party: badge-reader}]}
        source_ports: {alternatives: [{ports: 1024-65535}]}
        protocol: {l4: [tcp]}
        destination: {parties: [{party: expressway-c}]}
        destination_ports: {alternatives: [{ports: 8443}]}
parties:
  badge-reader: {en: Badge reader, kind: system}
"""
