"""Within one run of the suite a deployment file is compiled and proved once per content.

The steps of the pipeline depend on nothing but what they are given, so a second question about
the same bytes may have the first one's answer; the command, started anew each time, keeps
nothing. Files that name others (overlays, `extends`) are read each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flowbridge.deployment.selection.resolution import Resolution
from flowbridge.stacks import pipeline
from flowbridge.stacks.pipeline import Built, Checked

_KEPT = 40
_OTHERS = (b"overlays", b"extends", b"places")


@dataclass
class _Kept:
    """What `load`, `build` and `judge` said before, by what they were given."""

    load: Callable[..., Resolution]
    build: Callable[..., Built]
    judge: Callable[..., Checked]
    resolutions: dict[Any, Resolution] = field(default_factory=dict)
    # By identity: what is kept here stays alive, and with it the number.
    built: dict[int, Built] = field(default_factory=dict)
    judged: dict[int, Checked] = field(default_factory=dict)

    def loaded(
        self, file: Path, changes: Mapping[str, str] | None = None, **more: Any
    ) -> Resolution:
        content = _content(Path(file))
        if content is None or any(word in content for word in _OTHERS):
            return self.load(file, changes, **more)
        key = (str(file), content, tuple(sorted((changes or {}).items())), tuple(more.items()))
        if key not in self.resolutions:
            found = self.load(file, changes, **more)
            if len(self.resolutions) > _KEPT:
                for memory in (self.resolutions, self.built, self.judged):
                    memory.clear()
            self.resolutions[key] = found
        return self.resolutions[key]

    def built_once(self, resolution: Resolution, network_id: str | None = None) -> Built:
        known = any(resolution is each for each in self.resolutions.values())
        if network_id is not None or not known:
            return self.build(resolution, network_id)
        if id(resolution) not in self.built:
            self.built[id(resolution)] = self.build(resolution)
        return self.built[id(resolution)]

    def judged_once(self, one: Built, document: Mapping[str, Any] | None = None) -> Checked:
        if document is not None or not any(one is each for each in self.built.values()):
            return self.judge(one, document)
        if id(one) not in self.judged:
            self.judged[id(one)] = self.judge(one)
        return self.judged[id(one)]


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes() if file.is_file() else None
    except OSError:
        return None


def keep_what_was_built() -> None:
    """Put `load`, `build` and `judge` of the pipeline behind what they said before."""
    kept = _Kept(pipeline.load, pipeline.build, pipeline.judge)
    vars(pipeline).update(load=kept.loaded, build=kept.built_once, judge=kept.judged_once)
