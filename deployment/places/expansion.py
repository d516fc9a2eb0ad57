"""A file with places, as the models read it: the whole, and each managed place.

The whole is a deployment of one cloud whose network has the tiers of every place: rows are selected
there, so that both ends of a flow are known. Where places are in several clouds there is a whole
for each cloud. A place is the file's name, network, provider and backend of one stack. All is done
on the file's data, so that what is wrong is told by the same models, with the file's own keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from flowbridge.catalog.reading.located_yaml import Data, LocatedYaml, Location, Problem
from flowbridge.deployment.file.site import Cloud
from flowbridge.deployment.interface import HOME

_CLOUDS: Final = tuple(cloud.value for cloud in Cloud)
# What a place has of its own, and how it is laid over the file's.
_OWN: Final = ("quotas", "provider", "backend")
_TIER_KEYS: Final = ("cidrs", "subnets", "nat")
_NETWORK_KEYS: Final = ("public_cidrs", "private")


@dataclass(frozen=True, slots=True)
class Expanded:
    """`whole` by cloud; `places` by name, with the cloud of each."""

    whole: Mapping[str, LocatedYaml]
    places: Mapping[str, tuple[str, LocatedYaml]]


def has_places(data: Data) -> bool:
    """Whether a file spans places."""
    return isinstance(data, dict) and "places" in data


def expanded(located: LocatedYaml) -> tuple[Expanded, tuple[Problem, ...]]:
    """The parts of a file with places, and what is wrong with its places as such."""
    data = located.data
    assert isinstance(data, dict)  # noqa: S101
    problems = list(_shape(located))
    named = dict(_managed(data))
    clouds = {name: str(place.get("cloud", data.get("cloud", ""))) for name, place in named.items()}
    for name, cloud in clouds.items():
        if cloud not in _CLOUDS:
            at: Location = ("places", name, "cloud") if name != HOME else ("cloud",)
            problems.append(
                located.problem(at, "its cloud is not told: write cloud: aws, azure or gcp")
            )
    problems += _tier_names(located, named)
    if not named:
        problems.append(
            located.problem(
                ("places",),
                "no place is managed, so nothing would be made: write the `network` of one, or "
                "leave `managed: false` out where rules are to be made",
            )
        )
    whole = {
        cloud: replace(located, data=_whole(data, named, clouds, cloud), moved=_moves(named))
        for cloud in sorted({cloud for cloud in clouds.values() if cloud in _CLOUDS})
    }
    places = {
        name: (clouds[name], _place(located, name, place, clouds))
        for name, place in named.items()
        if clouds[name] in _CLOUDS
    }
    return Expanded(whole, places), tuple(problems)


def _managed(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each managed place as a mapping with `network`; the file's own network is one."""
    if isinstance(data.get("network"), dict):
        yield HOME, {"network": data["network"]}
    places = data["places"]
    for name, place in places.items() if isinstance(places, dict) else ():
        if not isinstance(place, dict) or not place.get("managed", True) or name == HOME:
            continue
        if isinstance(place.get("network"), dict):
            yield name, place


def _shape(located: LocatedYaml) -> Iterator[Problem]:
    data: Any = located.data
    places = data["places"]
    if not isinstance(places, dict) or not places:
        yield located.problem(
            ("places",), "write each place by its name: `dmz-vpc: {region: ..., network: {...}}`"
        )
        return
    for name, place in places.items():
        here: Location = ("places", name)
        if name == HOME:
            yield located.problem(
                here, "`home` is the place of the file's own `network`; write another name"
            )
        elif not isinstance(place, dict):
            yield located.problem(here, "write a mapping: `{region: ..., network: {...}}`")
        elif not place.get("managed", True):
            yield from _unmanaged(located, here, place)
        elif not isinstance(place.get("network"), dict):
            yield located.problem(
                here,
                "a place that is managed has a `network` with its tiers; add it or, where no rules "
                "are made there (on premises), write managed: false and its `cidrs`",
            )
        elif "cidrs" in place:
            yield located.problem(
                (*here, "cidrs"),
                "the ranges of a managed place stand in its tiers; leave this out, or write "
                "managed: false",
            )


def _unmanaged(located: LocatedYaml, here: Location, place: dict[str, Any]) -> Iterator[Problem]:
    if not place.get("cidrs"):
        yield located.problem(
            here, "a place that is not managed has `cidrs`: write its address ranges"
        )
    for key in ("network", "cloud", "region", "stack", *_OWN):
        if key in place:
            yield located.problem(
                (*here, key),
                "no stack is made for a place that is not managed; leave this out, and write its "
                "address ranges as `cidrs`",
            )


def _tiers(place: Mapping[str, Any]) -> dict[str, Any]:
    network = place.get("network")
    tiers = network.get("tiers") if isinstance(network, dict) else None
    return tiers if isinstance(tiers, dict) else {}


def _tier_names(located: LocatedYaml, named: Mapping[str, dict[str, Any]]) -> Iterator[Problem]:
    """A tier's name says its place, so no two places have it."""
    first: dict[str, str] = {}
    for name, place in named.items():
        for tier in _tiers(place):
            other = first.setdefault(tier, name)
            if other != name:
                yield located.problem(
                    ("places", name, "network", "tiers", tier),
                    f"the place {other!r} has a tier {tier!r} too; the name of a tier says its "
                    f"place, so write another, such as {tier}-{name}"[:200],
                )


def _moves(named: Mapping[str, dict[str, Any]]) -> dict[Location, Location]:
    """Where the tiers of the whole stand in the file."""
    return {
        ("network", "tiers", tier): ("places", name, "network", "tiers", tier)
        for name, place in named.items()
        if name != HOME
        for tier in _tiers(place)
    }


def _whole(
    data: dict[str, Any], named: Mapping[str, dict[str, Any]], clouds: Mapping[str, str], cloud: str
) -> dict[str, Any]:
    """The file as a deployment in `cloud` with the tiers of all places."""
    tiers: dict[str, Any] = {}
    network: dict[str, Any] = {"tiers": tiers}
    for name, place in named.items():
        own: Any = place.get("network")
        for key in _NETWORK_KEYS if isinstance(own, dict) else ():
            if key in own:
                before = network.get(key)
                both = [*before, *_listed(own[key])] if isinstance(before, list) else own[key]
                network[key] = _listed(both) if key == "private" else before or own[key]
        keys = (*_TIER_KEYS, "network") if cloud == clouds[name] == "gcp" else _TIER_KEYS
        for tier, content in _tiers(place).items():
            known = {"cidrs", "subnets", "nat", "network"}
            if isinstance(content, dict) and clouds[name] != cloud:
                content = {k: v for k, v in content.items() if k in keys or k not in known}
            tiers.setdefault(tier, content)
    out = {**data, "cloud": cloud, "network": network}
    out.setdefault("region", _region(data, named, clouds, cloud))
    for key in _OWN if data.get("cloud", cloud) != cloud else ():
        out.pop(key, None)
    if isinstance(options := data.get("options"), dict):
        others = {other for other in clouds.values() if other != cloud}
        out["options"] = {key: value for key, value in options.items() if key not in others}
    return out


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _region(
    data: dict[str, Any], named: Mapping[str, dict[str, Any]], clouds: Mapping[str, str], cloud: str
) -> Any:
    """A region of the whole, which only its places use."""
    regions = (place.get("region") for name, place in named.items() if clouds[name] == cloud)
    return next((region for region in regions if region), data.get("region", "any"))


def _place(
    located: LocatedYaml, name: str, place: dict[str, Any], clouds: Mapping[str, str]
) -> LocatedYaml:
    """One managed place as a deployment without systems: name, network, account and state."""
    data: Any = located.data
    cloud = clouds[name]
    moved: dict[Location, Location] = {}
    out: dict[str, Any] = {"name": data.get("name"), "cloud": cloud, "network": place["network"]}
    if name != HOME:
        moved[("network",)] = ("places", name, "network")
        moved[("name",)] = ("places", name, "stack")
        out["name"] = place.get("stack", f"{data.get('name')}-{name}")
        if "region" not in data or data.get("cloud", cloud) != cloud:
            moved[("region",)] = ("places", name, "region")
    for key in ("region", *_OWN):
        same = data.get("cloud", cloud) == cloud or key == "backend"
        own, shared = place.get(key), data.get(key) if same else None
        if own is not None:
            moved[(key,)] = ("places", name, key)
        value = _laid(shared, own) if shared is not None and own is not None else own or shared
        if value is not None:
            out[key] = value
    if isinstance(options := data.get("options"), dict) and cloud in options:
        out["options"] = {cloud: options[cloud]}
    return replace(located, data=out, moved=moved)


def _laid(shared: Any, own: Any) -> Any:
    """`own` over `shared`, mapping by mapping; another type of backend takes nothing over."""
    if not (isinstance(shared, dict) and isinstance(own, dict)):
        return own
    if "type" in own and own["type"] != shared.get("type", "local"):
        return own
    return {**shared, **{key: _laid(shared.get(key), value) for key, value in own.items()}}
