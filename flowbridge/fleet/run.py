"""`check` of many deployments: each by itself on every core, then those together that meet.

Only sentences and numbers come back from the processes that judge, so that a thousand sites need
little more memory than one. The answer is the one that one process would give.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import Any, Final

from flowbridge.catalog.reading import cache_folder
from flowbridge.catalog.reading.located_yaml import BadFileError, Problem
from flowbridge.fleet.footprint import meeting
from flowbridge.fleet.parts import PREFIX, Part, judged_or_kept, kept_part
from flowbridge.fleet.shard import Shard, ShardAnswer, content_of, together_of
from flowbridge.fleet.site_answer import DisagreementAnswer, RehearsalAnswer, SiteAnswer
from flowbridge.sites import with_bar

# A process more pays from about so many files on.
_FEWEST_EACH: Final = 3
_MOST_KEPT: Final = 20_000

Files = tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is known of all: in the order of the files, as if they had been judged together."""

    sites: tuple[SiteAnswer, ...]
    rehearsals: tuple[RehearsalAnswer, ...]
    disagreements: tuple[DisagreementAnswer, ...]
    refused: tuple[Problem, ...]


def check_fleet(files: Sequence[Path], *, plain: bool, keep_going: bool, jobs: int) -> Fleet:
    """Judge `files` with at most `jobs` processes (0: one for each core).

    BadFileError with the problems of all where one is refused; with `keep_going` they are in
    `refused`, and the others are judged. `plain`: with what the JSON answer says of each.
    """
    with _judges(files, jobs, plain=plain) as judges:
        alone = _alone(files, judges)
        return _put_together(files, alone, judges, plain=plain, keep_going=keep_going)


def check_shard(files: Sequence[Path], shard: Shard, *, jobs: int) -> ShardAnswer:
    """The share of `files` that is `shard`, each judged by itself."""
    mine = shard.of(files)
    with _judges(mine, jobs, plain=True) as judges:
        parts = tuple(_alone(mine, judges))
    contents = {str(file): content_of(str(file)) for file in mine}
    return ShardAnswer(shard=shard, files=tuple(map(str, files)), parts=parts, contents=contents)


def merged_fleet(answers: Sequence[ShardAnswer], *, keep_going: bool, jobs: int) -> Fleet:
    """What `check_fleet` of all files says, from the answers of all shards. Files that meet others
    are judged together here, and so have to be here.

    ValueError where the answers are not those of one run, or some are not there.
    """
    names, by_file = together_of(answers)
    files = [Path(name) for name in names]
    alone = [by_file[name] for name in names]
    with _judges(files, jobs, plain=True) as judges:
        return _put_together(files, alone, judges, plain=True, keep_going=keep_going)


def _alone(files: Sequence[Path], judges: _Judges) -> list[Part]:
    return list(with_bar(judges.each([(file,) for file in files]), "checking", len(files)))


def _put_together(
    files: Sequence[Path],
    alone: Sequence[Part],
    judges: _Judges,
    *,
    plain: bool,
    keep_going: bool,
) -> Fleet:
    """`alone` are the files judged each by itself; those that meet are judged together."""
    bad = {name for part in alone if part.problems for name in part.files}
    if bad and not keep_going:
        raise BadFileError(_problems_of(files, bad, alone))
    good = [part for part in alone if not part.problems]
    groups = meeting([part.footprint for part in good])
    together = [
        tuple(Path(good[number].files[0]) for number in group) for group in groups if len(group) > 1
    ]
    joint = {part.files: part for part in judges.each(together)}
    parts = []
    for group in groups:
        names = tuple(good[number].files[0] for number in group)
        parts.append(good[group[0]] if len(group) == 1 else joint[names])
    if any(part.problems for part in parts):
        # Names that are taken and the like: who is refused depends on who else is left.
        return _one_after_the_other(files, plain=plain, keep_going=keep_going)
    refused = _problems_of(files, bad, alone) if bad else []
    cache_folder.prune(PREFIX, _MOST_KEPT)
    return _laid_together(files, parts, refused)


def _problems_of(files: Sequence[Path], bad: set[str], alone: Sequence[Part]) -> list[Problem]:
    """What is wrong, in the order in which one run tells it: of the files that are refused, and of
    those that something is told of together (a name that is taken)."""
    from flowbridge.stacks.pipeline import problems_of

    groups = meeting([part.footprint for part in alone])
    met = {name for group in groups if len(group) > 1 for n in group for name in alone[n].files}
    told = problems_of([file for file in files if str(file) in bad | met])
    # What is found out by judging alone is not among them.
    return told or [problem for part in alone for problem in part.problems]


def _one_after_the_other(files: Sequence[Path], *, plain: bool, keep_going: bool) -> Fleet:
    from flowbridge.fleet.parts import judged_built
    from flowbridge.stacks.pipeline import build_all, build_kept

    built, refused = build_kept(files) if keep_going else (build_all(files), ())
    part = judged_built(tuple(map(str, files)), built, plain=plain)
    return Fleet(part.sites, part.rehearsals, part.disagreements, refused)


def _laid_together(
    files: Sequence[Path], parts: Iterable[Part], refused: Sequence[Problem]
) -> Fleet:
    place = {str(file): number for number, file in enumerate(files)}
    every = tuple(parts)
    sites = [site for part in every for site in part.sites]
    sites.sort(key=lambda site: place[site.file])
    number = {site.name: place[site.file] for site in sites}
    rehearsals = [each for part in every for each in part.rehearsals]
    rehearsals.sort(key=lambda each: max(place[file] for file in each.files))
    disagreements = [each for part in every for each in part.disagreements]
    disagreements.sort(key=lambda each: (number[each.opener], number[each.other]))
    return Fleet(tuple(sites), tuple(rehearsals), tuple(disagreements), tuple(refused))


class _Judges:
    """Those who judge: this process, or several that it has started."""

    def __init__(self, pool: ProcessPoolExecutor | None, *, plain: bool) -> None:
        self._pool = pool
        self._plain = plain

    def each(self, listed: Sequence[Files]) -> Iterator[Part]:
        """The parts in the order that they are listed in."""
        if self._pool is None:
            for files in listed:
                yield Part.from_plain(judged_or_kept(files, plain=self._plain))
            return
        # What is kept is found here: to ask another process for it costs more than that.
        found = [kept_part(files, plain=self._plain) or self._asked(files) for files in listed]
        for files, each in zip(listed, found, strict=True):
            yield Part.from_plain(self._told(files, each) if isinstance(each, Future) else each)

    def _asked(self, files: Files) -> Future[dict[str, Any]] | dict[str, Any]:
        if self._pool is not None:
            try:
                return self._pool.submit(judged_or_kept, files, plain=self._plain)
            except BrokenProcessPool:
                self._pool = None
        return judged_or_kept(files, plain=self._plain)

    def _told(self, files: Files, asked: Future[dict[str, Any]]) -> dict[str, Any]:
        try:
            return asked.result()
        except BrokenProcessPool:
            # One of the processes was ended, for want of memory perhaps: here it goes on.
            self._pool = None
            return judged_or_kept(files, plain=self._plain)


@contextmanager
def _judges(files: Sequence[Path], jobs: int, *, plain: bool) -> Iterator[_Judges]:
    number = min(jobs or _cores(), len(files) // _FEWEST_EACH)
    if number < 2 or "fork" not in get_all_start_methods():
        yield _Judges(None, plain=plain)
        return
    # What all of them need is read before they part.
    from flowbridge.catalog.load import load
    from flowbridge.commands import check  # noqa: F401
    from flowbridge.fleet.parts import program_digest

    load()
    program_digest()
    pool = ProcessPoolExecutor(number, get_context("fork"), _deaf_to_interrupts)
    try:
        yield _Judges(pool, plain=plain)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _deaf_to_interrupts() -> None:
    """Ctrl-C goes to all processes of a terminal; the first one ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
