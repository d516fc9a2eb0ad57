"""Names that join a site and a workload by `-`, and when such a name can be read in two ways.

`lab` + `sip-endpoint` and `lab-sip` + `endpoint` are one text. Where a text can be read in several
ways, the one with the longest party of the catalog has the plain name, and every other name ends in
a hash of its parts (docs/decisions/0006-names.md).
"""

from __future__ import annotations

from flowbridge.catalog.load import load


def is_plain(site: str, workload: str) -> bool:
    """Whether `<site>-<workload>` may stand for this site and this workload, and for no other.

    A workload of the user's own with a hyphen is never plain: whose else it could be is not known.
    """
    parties = load().parties
    if workload not in parties and "-" in workload:
        return False
    text = f"-{site}-{workload}"
    return not any(
        len(party) > len(workload) and text.endswith(f"-{party}") and text != f"-{party}"
        for party in parties
    )
