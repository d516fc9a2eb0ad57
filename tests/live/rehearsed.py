"""A rehearsal of one deployment through a stand-in cloud, with the real clients."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flowbridge.providers.live.contract import Access, reader_for
from flowbridge.stacks.live import Live
from flowbridge.stacks.pipeline import Built
from flowbridge.stacks.rehearsal import Rehearsal, rehearsed_live


def rehearsed(built: Built, url: str, **access: Any) -> Rehearsal:
    """The features of `built` through what stands behind `url`."""
    reach = Access(endpoint_url=url, **{"attempts": 2, "deadline": 60.0, **access})
    site = built.resolution.site
    reader = reader_for(site.cloud)
    live = Live(built, reader, reader.fetch(site, reach), reach)
    (found,) = rehearsed_live([live.scene(site.services)])
    return found


def counted(rehearsal: Rehearsal) -> Counter[str]:
    return Counter(str(feature.answer) for feature in rehearsal.features)
