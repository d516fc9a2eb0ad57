"""Secure tags that exist already, as far as the machines that have them tell.

Tags are read machine by machine, with the names of their keys. A tag that no machine has is known
only by the live rule that uses it: it exists, and its key is not known.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from flowbridge.providers.gcp.emit.network_policy import POLICY, TAG_BINDING, TAG_KEY, TAG_VALUE
from flowbridge.providers.gcp.live.answers import Answers, Part
from flowbridge.providers.live.contract import Import
from flowbridge.providers.terraform.blocks import Block, Reference, resources


def tag_imports(answers: Answers, planned: Mapping[str, Any]) -> Iterator[Import]:
    """google documentation, Import: `tagKeys/N`, `tagValues/N`, `LOCATION/tagBindings/...`."""
    keys: dict[str, str] = {}
    values: dict[tuple[str, str], str] = {}
    held: set[tuple[str, str]] = set()
    for row in answers.parts.get(Part.TAGS, ()):
        for tag in row.get("effective", ()):
            # PARENT/KEY/VALUE, where a short name holds no slash
            names = str(tag.get("namespacedTagValue") or "").split("/")
            if len(names) < 3 or not tag.get("tagKey"):
                continue
            keys[names[-2]] = str(tag["tagKey"])
            values[names[-2], names[-1]] = str(tag["tagValue"])
            if not tag.get("inherited"):
                held.add((str(row["instance"]), str(tag["tagValue"])))
    for address, block in resources(planned, TAG_KEY).items():
        if found := keys.get(str(block.text("short_name"))):
            yield Import(address, found, "name, on a machine")
    live: dict[str, str] = {}
    for address, block in resources(planned, TAG_VALUE).items():
        key = _block(planned, TAG_KEY, block.get("parent"))
        named = (key.text("short_name") or "" if key else "", block.text("short_name") or "")
        if found := values.get(named):
            live[address] = found
            yield Import(address, found, "name, on a machine")
    for address, block in resources(planned, TAG_BINDING).items():
        reference = Reference.parse(block.get("tag_value"))
        value = live.get(reference.address) if reference else None
        parent = block.text("parent") or ""
        if value and (parent.rsplit("/", 1)[-1], value) in held:
            binding = f"tagBindings/{quote(parent, safe='')}/{value}"
            yield Import(address, f"{block.text('location')}/{binding}", "the machine has the tag")


def tags_in_use(
    answers: Answers, planned: Mapping[str, Any], known: Container[str]
) -> Iterator[tuple[str, str]]:
    """Planned tags and keys that live rules use, beside the `known`: they cannot be made again."""
    live = {
        (row["name"], rule.get("ruleName")): str(tag.get("name"))
        for row in answers.parts.get(Part.POLICIES, ())
        for rule in row.get("rules") or ()
        for tag in rule.get("targetSecureTags") or ()
        if tag.get("state") != "INEFFECTIVE"
    }
    told: dict[str, str] = {}
    for block in resources(planned, POLICY).values():
        for rule in block.blocks("rule"):
            used = live.get((block.text("name"), rule.text("rule_name")))
            for match in (rule, *rule.blocks("match")) if used else ():
                for tag in match.blocks("target_secure_tag"):
                    reference = Reference.parse(tag.get("name"))
                    value = _block(planned, TAG_VALUE, tag.get("name"))
                    if reference is None or value is None:
                        continue
                    key = Reference.parse(value.get("parent"))
                    for address in (reference.address, *((key.address,) if key else ())):
                        told.setdefault(address, str(used))
    for address, used in told.items():
        if address not in known:
            what = "tag key" if address.startswith(f"{TAG_KEY}.") else "tag value"
            why = (
                f"live rules use {used}, so this {what} exists already, and no machine that was "
                "read has it: find its id with `gcloud resource-manager tags keys list` and `tags "
                "values list`, and import it yourself"
            )
            yield address, why


def _block(planned: Mapping[str, Any], kind: str, value: object) -> Block | None:
    reference = Reference.parse(value)
    return resources(planned, kind).get(reference.address) if reference else None
