"""What the cloud, Terraform or its provider would refuse of the settings: told before any apply.

Tags, roles, profiles, endpoints, arguments of the backend and version constraints are taken by
nobody until Terraform runs, and some of them only when the first resource has been made. The
limits are data (`settings.yaml`), each with its source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from flowbridge.catalog.reading.kept_yaml import read_plain
from flowbridge.deployment.checks.version_range import allows_from
from flowbridge.deployment.file.site import AwsSite, AzureSite, GcpSite, Site
from flowbridge.deployment.mistake import Mistake, nearest

_TABLE: Final = Path(__file__).with_name("settings.yaml")
_OURS: Final = "flowbridge:"
_ROLE: Final = re.compile(r"arn:(aws[a-z-]*):iam::\d{12}:role/(?:[\x21-\x7e]+/)?[\w+=,.@-]{1,64}")
_SUBSCRIPTION: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PROFILE: Final = re.compile(r"[^\s\[\]](?:[^\[\]\x00-\x1f]*[^\s\[\]])?")
_BUCKET: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,220}[a-z0-9])?")
# Partitions of AWS by the beginning of a region's name; every other region is in `aws`.
_PARTITIONS: Final = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc"}
_FEW: Final = 40  # characters of a long key that a person still reads


def setting_mistakes(site: Site) -> Iterator[Mistake]:
    """All that would fail at `init`, `plan` or half-way through an apply."""
    yield from _tags(site)
    yield from _role(site)
    yield from _profile(site)
    yield from _subscription(site)
    yield from _endpoints(site)
    yield from _version(site)
    yield from _backend(site)
    yield from _exclusive(site)


@cache
def limits() -> Mapping[str, Any]:
    """The whole table."""
    found: dict[str, Any] = read_plain(_TABLE)
    return found


def _tags(site: Site) -> Iterator[Mistake]:
    rule, tags = limits()["tags"][site.cloud], site.provider.default_tags
    here = ("provider", "default_tags")
    word = rule["word"]
    room = rule["count"] - rule["ours"]
    if len(tags) > room:
        yield Mistake(
            here,
            f"{len(tags)} {word}s and {rule['ours']} of ours are more than the {rule['count']} "
            f"that one resource takes ({rule['source']}); write at most {room}",
        )
    seen: dict[str, str] = {}
    for key, value in tags.items():
        other = seen.setdefault(key.casefold() if rule.get("case_blind") else key, key)
        if other != key:
            yield Mistake((*here, key), f"Azure takes {key!r} and {other!r} for one; keep one")
        for what in _wrong_with(key, value, rule, word):
            yield Mistake((*here, key), f"{what} ({rule['source']})")


def _wrong_with(key: str, value: str, rule: Mapping[str, Any], word: str) -> Iterator[str]:
    shown = key if len(key) <= _FEW else f"{key[:_FEW]}..."
    most, longest = rule["key_length"], rule["value_length"]
    if not key:
        yield f"the name of a {word} is empty; write one"
    if len(key) > most:
        yield f"the name {shown!r} has {len(key)} characters; write at most {most}"
    if len(value) > longest:
        yield f"the value of {shown!r} has {len(value)} characters; write at most {longest}"
    if key.startswith(_OURS):
        yield f"{shown!r} is a {word} of Flowbridge itself; write another name"
    for prefix in rule.get("reserved", ()):
        for part, text in (("name", key), ("value", value)):
            if text.casefold().startswith(prefix) and (part == "name" or prefix == "aws:"):
                yield f"a {part} that begins with {prefix!r} is the cloud's own; write another"
    if bad := sorted(set(key) & set(rule.get("not_in_keys", ""))):
        yield f"the name {shown!r} has {' '.join(bad)} in it, which no name takes; leave it out"
    if not (key + value).isprintable():
        yield f"the {word} {shown!r} has characters that cannot be printed; leave them out"
    if rule.get("label_form"):
        yield from _no_label(key, value)


def _no_label(key: str, value: str) -> Iterator[str]:
    for part, text in (("name", key), ("value", value)):
        if not all(map(_in_labels, text)) or (part == "name" and not text[:1].isalpha()):
            yield (
                f"{text[:_FEW]!r} is no {part} of a label: write small letters, digits, - and _"
                + (", a letter first" if part == "name" else "")
            )


def _in_labels(character: str) -> bool:
    """Letters of any script, but no capitals."""
    return character in "-_" or (character.isalnum() and character == character.lower())


def _role(site: Site) -> Iterator[Mistake]:
    if not isinstance(site, AwsSite) or (role := site.provider.assume_role) is None:
        return
    here = ("provider", "assume_role")
    found = _ROLE.fullmatch(role)
    if found is None:
        yield Mistake(
            here,
            f"{role!r} is no ARN of a role; write one like arn:aws:iam::123456789012:role/NAME",
        )
        return
    partition = next(
        (name for start, name in _PARTITIONS.items() if site.region.startswith(start)), "aws"
    )
    if found[1] != partition:
        yield Mistake(
            here,
            f"the role is one of the partition {found[1]}, and {site.region} is in {partition}; "
            f"write the role of that account (arn:{partition}:iam::...)",
        )


def _profile(site: Site) -> Iterator[Mistake]:
    profile = site.provider.profile if isinstance(site, AwsSite) else None
    if profile is not None and not _PROFILE.fullmatch(profile):
        yield Mistake(
            ("provider", "profile"),
            f"{profile!r} is no name of a profile; write one as it stands in ~/.aws/config, "
            "without brackets",
        )


def _subscription(site: Site) -> Iterator[Mistake]:
    subscription = site.provider.subscription if isinstance(site, AzureSite) else None
    if subscription is not None and not _SUBSCRIPTION.fullmatch(subscription):
        yield Mistake(
            ("provider", "subscription"),
            f"{subscription!r} is no subscription id; write the UUID, such as "
            "00000000-0000-0000-0000-000000000000",
        )


def _endpoints(site: Site) -> Iterator[Mistake]:
    known = limits()["endpoints"].get(site.cloud)
    for service, url in site.provider.endpoints.items() if known else ():
        here = ("provider", "endpoints", service)
        if service not in known:
            yield Mistake(
                here,
                f"{service!r} is no service that the provider takes: {nearest(service, known)}",
            )
        if not _is_url(url):
            yield Mistake(
                here, "this is no address of a server; write https://HOST/ or http://HOST:PORT/"
            )
        elif not url.endswith(limits()["endpoint_ends"].get(site.cloud, "")):
            yield Mistake(here, f"the provider wants a slash at the end; write {url}/")


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _version(site: Site) -> Iterator[Mistake]:
    written = site.provider.version
    if written is None:
        return
    rule = limits()["versions"][site.cloud]
    first = rule["first"]
    if isinstance(site, GcpSite) and site.options.gcp.rules == "network-policy":
        first = rule["policies"]
    elif isinstance(site, AwsSite) and site.options.aws.exclusive:
        first = rule["exclusive"]
    if not allows_from(written, first):
        yield Mistake(
            ("provider", "version"),
            f"{written!r} allows no version from {first}, the first that has every resource used "
            f"here ({rule['source']}); write one such as >= {first}, or leave it out",
        )


def _exclusive(site: Site) -> Iterator[Mistake]:
    if not isinstance(site, GcpSite) or not site.options.gcp.exclusive:
        return
    if site.options.gcp.rules != "network-policy":
        yield Mistake(
            ("options", "gcp", "exclusive"),
            "Terraform removes no VPC firewall rule that it did not make; write `rules: "
            "network-policy`, whose policies hold all their rules, or leave it out",
        )


def _backend(site: Site) -> Iterator[Mistake]:
    """The name of a bucket; what arguments a backend has is Terraform's (`stacks.backends`)."""
    bucket = site.backend.settings.get("bucket")
    named = site.backend.type in limits()["bucket_names"] and isinstance(bucket, str)
    if named and not _BUCKET.fullmatch(str(bucket)):
        yield Mistake(
            ("backend", "settings", "bucket"),
            f"{bucket!r} is no name of a bucket: small letters, digits, -, _ and ., "
            "without its address",
        )
