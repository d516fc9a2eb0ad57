"""Named clusters: a deployment with several of them, looked at pair by pair.

`expressway_e` and `expressway_c` may be maps of clusters, each with peers, services, options, size
and release of its own. Rows are selected for one Expressway-E and one Expressway-C at a time, so a
`View` is the deployment as one pair of clusters that talk to each other sees it. What the views
open together is what the deployment opens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from flowbridge.catalog.reading.located_yaml import Location
from flowbridge.deployment.file.options import Options
from flowbridge.deployment.file.site import (
    ClusterSettings,
    CoreCluster,
    EdgeCluster,
    NamedCore,
    NamedEdge,
    Services,
    Site,
)
from flowbridge.deployment.file.values import Section
from flowbridge.deployment.interface import Network
from flowbridge.deployment.mistake import Mistake

_KEYS: Final = ("expressway_e", "expressway_c")
Laid = TypeVar("Laid", bound=Section)


@dataclass(frozen=True, slots=True)
class View:
    """`site` has the clusters `edge` and `core` as its one Expressway-E and Expressway-C.

    `rest`: it has none of them, and every other system. `asked_at`: where each service is written.
    """

    site: Site
    edge: str | None = None
    core: str | None = None
    rest: bool = False
    asked_at: Mapping[str, Location] = field(default_factory=dict)

    def in_file(self, location: Location) -> Location:
        """Where in the file the key is that stands at `location` in the view."""
        match location:
            case ("services", int(index)) if self.asked_at:
                return self.asked_at[tuple(self.site.services)[index]]
            case ("services", int(index)) if isinstance(self.site.services, Mapping):
                return ("services", tuple(self.site.services)[index])
            case ("options", key, *_):
                for part, cluster, name in (
                    ("expressway_e", self.site.edge, self.edge),
                    ("expressway_c", self.site.core, self.core),
                ):
                    own = cluster.options if isinstance(cluster, ClusterSettings) else None
                    if own is not None and name is not None and key in own.model_fields_set:
                        return (part, name, *location)
        for key, name in zip(_KEYS, (self.edge, self.core), strict=True):
            if name is not None and location[:1] == (key,):
                return (key, name, *location[1:])
        return location

    def key(self, dotted: str) -> str:
        """The same of a dotted key, as findings have it."""
        for key, name in zip(_KEYS, (self.edge, self.core), strict=True):
            if name is not None and (dotted == key or dotted.startswith(f"{key}.")):
                return f"{key}.{name}{dotted.removeprefix(key)}"
        return dotted


def views_of(site: Site) -> tuple[View, ...]:
    """The site alone where it names no clusters; else one view for each pair that talks, one for
    each cluster that talks to none, and one of everything else."""
    edges, cores = clusters(site)
    if not edges and not cores:
        return (View(site),)
    pairs = list(_pairs(edges, cores))
    lone: list[tuple[str | None, str | None]] = []
    lone += [(name, None) for name in edges if name not in {edge for edge, _ in pairs}]
    lone += [(None, name) for name in cores if name not in {core for _, core in pairs}]
    views = [_view(site, edge, core) for edge, core in (*pairs, *lone)]
    return (*views, View(_rest(site), rest=True))


def whole(site: Site) -> Site:
    """The site with the services of all its clusters."""
    edges, cores = clusters(site)
    if not edges and not cores:
        return site
    asked = [*site.services]
    for cluster in (*edges.values(), *cores.values()):
        asked += cluster.services or ()
    return site.model_copy(update={"services": tuple(dict.fromkeys(asked))})


def clusters(site: Site) -> tuple[Mapping[str, EdgeCluster], Mapping[str, CoreCluster]]:
    """The named clusters of Expressway-E and of Expressway-C."""
    edges = site.edge if isinstance(site.edge, Mapping) else {}
    cores = site.core if isinstance(site.core, Mapping) else {}
    return edges, cores


def cluster_mistakes(site: Site) -> Iterator[Mistake]:
    """Clusters that do not say whom they talk to, that name nobody, or that lack services."""
    edges, cores = clusters(site)
    for name, core in cores.items():
        for index, edge in enumerate(core.edges):
            if edge not in edges:
                known = ", ".join(edges) or "none"
                yield Mistake(
                    ("expressway_c", name, "edges", index),
                    f"there is no cluster {edge!r} under expressway_e; there are: {known}",
                )
        if not core.edges and len(edges) > 1 and len(cores) > 1 and name not in edges:
            yield Mistake(
                ("expressway_c", name),
                "it is not told which Expressway-E it is the traversal client of: add edges: "
                f"[{', '.join(edges)}] with those it is, or give it the name of the one",
            )
    for view in views_of(site):
        if not view.site.services and (view.edge or view.core):
            key = "expressway_e" if view.edge else "expressway_c"
            yield Mistake(
                (key, str(view.edge or view.core)),
                "this cluster has no services: add services: [...] here or for the whole file",
            )
    if (edges or cores) and site.options.jabber_guest.translator != "none":
        yield Mistake(
            ("options", "jabber_guest", "translator"),
            "no load balancer is made for named clusters; write translator: none, and let what "
            "stands before the cluster translate",
        )


def _pairs(
    edges: Mapping[str, EdgeCluster], cores: Mapping[str, CoreCluster]
) -> Iterator[tuple[str | None, str | None]]:
    if not edges or not cores:
        # The other one is a single cluster, a system elsewhere, or absent.
        yield from ((name, None) for name in edges)
        yield from ((None, name) for name in cores)
        return
    for name, core in cores.items():
        for edge in core.edges or _met_by_default(name, edges, cores):
            if edge in edges:
                yield edge, name


def _met_by_default(
    core: str, edges: Mapping[str, EdgeCluster], cores: Mapping[str, CoreCluster]
) -> tuple[str, ...]:
    if core in edges:
        return (core,)
    return tuple(edges) if len(edges) == 1 or len(cores) == 1 else ()


def _view(site: Site, edge: str | None, core: str | None) -> View:
    edges, cores = clusters(site)
    mine = [
        cluster
        for cluster in (edges[edge] if edge else None, cores[core] if core else None)
        if cluster is not None
    ]
    services = together([cluster.services or () for cluster in mine])
    options: Options = site.options
    for cluster in mine:
        if cluster.options is not None:
            options = laid_over(options, cluster.options)
    changed: dict[str, Any] = {
        "services": services or site.services,
        "options": options,
        "tests": (),
    }
    if edges:
        changed["edge"] = _named(NamedEdge, edges[edge], edge) if edge else None
    if cores:
        changed["core"] = _named(NamedCore, cores[core], core) if core else None
    for cluster in mine:
        changed |= {"size": cluster.size} if cluster.size is not None else {}
        if cluster.release is not None:
            changed["release"] = site.release.model_copy(update={"expressway": cluster.release})
    asked: dict[str, Location] = {}
    for key, name, known in (("expressway_e", edge, edges), ("expressway_c", core, cores)):
        own = known[name].services if name is not None else None
        for service, place in places_of(own or ()):
            asked.setdefault(service, (key, str(name), "services", place))
    for service, place in places_of(site.services):
        asked.setdefault(service, ("services", place))
    return View(site.model_copy(update=changed), edge, core, asked_at=asked)


def _rest(site: Site) -> Site:
    """Everything but the named clusters, whose rows are the views'."""
    edges, cores = clusters(site)
    changed: dict[str, Any] = {"tests": ()}
    changed |= {"edge": None} if edges else {}
    changed |= {"core": None} if cores else {}
    return site.model_copy(update=changed)


Named = TypeVar("Named", NamedEdge, NamedCore)


def _named(kind: type[Named], cluster: Section, name: str) -> Named:
    values = {field: getattr(cluster, field) for field in type(cluster).model_fields}
    return kind.model_construct(**values, cluster=name)


def places_of(services: Services) -> Iterator[tuple[str, str | int]]:
    """Each service with its index in the list, or its key in the map."""
    mapped = isinstance(services, Mapping)
    yield from ((name, name if mapped else index) for index, name in enumerate(services))


def together(listed: Sequence[Services]) -> Services:
    """The services of several lists or maps; a map where one of them is one."""
    if all(isinstance(services, tuple) for services in listed):
        return tuple(dict.fromkeys(name for services in listed for name in services))
    found: dict[str, Mapping[str, tuple[Network, ...]]] = {}
    for services in listed:
        for name in services:
            peers = services[name] if isinstance(services, Mapping) else {}
            found[name] = {**found.get(name, {}), **peers}
    return found


def laid_over(base: Laid, over: Section) -> Laid:
    """`base` with the keys that `over` writes."""
    changed: dict[str, Any] = {}
    for name in over.model_fields_set:
        mine, value = getattr(base, name), getattr(over, name)
        both = isinstance(mine, Section) and isinstance(value, Section)
        changed[name] = laid_over(mine, value) if both else value
    return base.model_copy(update=changed)
