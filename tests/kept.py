"""Within one run of the suite a deployment file is compiled and proved once per content.

The steps of the pipeline depend on nothing but what they are given, so a second question about
the same bytes may have the first one's answer; the command, started anew each time, keeps
nothing. Files that name others (overlays, `extends`) are read each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from flowbridge.stacks import pipeline
from flowbridge.stacks.pipeline import Built, Checked

_MOST: Final = 40
_NAME_OTHERS: Final = (b"overlays", b"extends", b"places", b"accept")


@dataclass
class _Kept:
    """What the steps said before, by what they were given.

    `alive` holds what was given by identity, so that no number is given to another object.
    """

    steps: Mapping[str, Callable[..., Any]]
    loaded: dict[Any, Any] = field(default_factory=dict)
    alive: dict[int, Any] = field(default_factory=dict)
    made: dict[Any, Any] = field(default_factory=dict)

    def loading(self, step: str) -> Callable[..., Any]:
        def load_once(file: Path, changes: Mapping[str, str] | None = None, **options: Any) -> Any:
            content = _content(Path(file))
            if content is None or any(word in content for word in _NAME_OTHERS):
                return self.steps[step](file, changes, **options)
            asked = (tuple(sorted((changes or {}).items())), tuple(sorted(options.items())))
            key = (step, str(file), content, asked)
            if key not in self.loaded:
                found = self.steps[step](file, changes, **options)
                if len(self.loaded) > _MOST:
                    for memory in (self.loaded, self.alive, self.made):
                        memory.clear()
                self.loaded[key] = found
                for part in getattr(found, "parts", (found,)):
                    self.alive[id(part)] = part
            return self.loaded[key]

        return load_once

    def build(self, resolution: Any, network_id: str | None = None, *, alone: bool = True) -> Built:
        if network_id is not None or id(resolution) not in self.alive:
            built: Built = self.steps["build"](resolution, network_id, alone=alone)
            return built
        key = ("build", id(resolution), alone)
        if key not in self.made:
            self.made[key] = self.steps["build"](resolution, alone=alone)
            self.alive[id(self.made[key])] = self.made[key]
        known: Built = self.made[key]
        return known

    def judge(self, one: Built, document: Mapping[str, Any] | None = None) -> Checked:
        if document is not None or id(one) not in self.alive:
            checked: Checked = self.steps["judge"](one, document)
            return checked
        key = ("judge", id(one))
        if key not in self.made:
            self.made[key] = self.steps["judge"](one)
        known: Checked = self.made[key]
        return known


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes() if file.is_file() else None
    except (OSError, ValueError):
        return None


def keep_what_was_built() -> None:
    """Put the steps of the pipeline behind what they said before."""
    names = ("load", "load_all", "build", "judge")
    kept = _Kept({name: getattr(pipeline, name) for name in names})
    vars(pipeline).update(
        load=kept.loading("load"),
        load_all=kept.loading("load_all"),
        build=kept.build,
        judge=kept.judge,
    )
