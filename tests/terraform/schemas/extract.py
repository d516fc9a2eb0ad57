"""Write `aws.json`, `azurerm.json` and `google.json` beside this file: the providers' schemas.

The source of the prebuilt CDKTF bindings says of every attribute what it is: its type, whether it
is required, optional or computed, and for a block how it nests. From that this makes the document
that `terraform providers schema -json` prints, for the types that we emit and nothing else. Run
it once for a new version of the bindings, in an environment of their own (half a gigabyte):

    python -m venv .cache/schema
    .cache/schema/bin/python -m pip install --require-hashes -r requirements/schema.lock
    .cache/schema/bin/python tests/terraform/schemas/extract.py

The schemas of other versions are in folders: `floor` has the oldest that our ranges admit (types
that came later are not in it), `middle` a major version between, `newest` the newest that was
tried. They are made from wheels, which need no installation:

    pip download --no-deps --dest .cache/wheels cdktn-provider-google==21.1.0
    python tests/terraform/schemas/extract.py newest .cache/wheels/*.whl

What the bindings do not keep: `max_items` above 1 and `min_items` above 1 (both are 0 or 1 here),
what forces a replacement, and every rule between attributes.
"""

from __future__ import annotations

import base64
import io
import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]

RESOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "aws": (
        "ec2_managed_prefix_list",
        "eip",
        "lb",
        "lb_listener",
        "lb_target_group",
        "lb_target_group_attachment",
        "network_acl",
        "network_acl_association",
        "network_acl_rule",
        "network_interface_sg_attachment",
        "security_group",
        "vpc_security_group_egress_rule",
        "vpc_security_group_ingress_rule",
        "vpc_security_group_rules_exclusive",
    ),
    "azurerm": (
        "application_security_group",
        "lb",
        "lb_backend_address_pool",
        "lb_backend_address_pool_address",
        "lb_nat_rule",
        "lb_probe",
        "lb_rule",
        "network_interface_application_security_group_association",
        "network_interface_backend_address_pool_association",
        "network_security_group",
        "public_ip",
        "subnet_network_security_group_association",
    ),
    "google": (
        "compute_backend_service",
        "compute_firewall",
        "compute_forwarding_rule",
        "compute_global_address",
        "compute_global_forwarding_rule",
        "compute_health_check",
        "compute_instance_group",
        "compute_instance_group_membership",
        "compute_instance_group_named_port",
        "compute_network_firewall_policy",
        "compute_network_firewall_policy_association",
        "compute_network_firewall_policy_with_rules",
        "compute_region_backend_service",
        "compute_region_health_check",
        "compute_region_target_tcp_proxy",
        "compute_target_tcp_proxy",
        "tags_location_tag_binding",
        "tags_tag_key",
        "tags_tag_value",
    ),
}
DATA_SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "aws": (),
    "azurerm": ("client_config",),
    "google": (),
}

_SOURCE_MAP: Final = re.compile(r"sourceMappingURL=data:application/json;base64,(\S+)")
_CLASS: Final = re.compile(
    r"^export class (?P<name>\w+) extends cdkt[fn]\.\w+ \{\n(?P<body>.*?)^\}",
    re.DOTALL | re.MULTILINE,
)
_INTERFACE: Final = re.compile(
    r"^export interface (?P<name>\w+)[^{]*\{\n(?P<body>.*?)^\}", re.DOTALL | re.MULTILINE
)
_MEMBER: Final = re.compile(r"^  readonly (?P<name>\w+)(?P<optional>\?)?: ", re.MULTILINE)
_HCL_FUNCTION: Final = re.compile(
    r"^export function (?P<name>\w+)ToHclTerraform\(.*?\n(?P<body>.*?)^\}", re.DOTALL | re.MULTILINE
)
# `ports - computed: true, optional: false, required: false`, then the field or the getter.
_FLAGS: Final = re.compile(
    r"^  // (?P<name>\w+) - computed: (?P<computed>\w+), optional: (?P<optional>\w+), "
    r"required: (?P<required>\w+)\n(?P<code>.*?^  \})",
    re.DOTALL | re.MULTILINE,
)
_ARGUMENT: Final = re.compile(
    r"^ +(?P<name>\w+): \{\n"
    r" +value: (?P<value>.*),\n"
    r" +isBlock: (?:true|false),\n"
    r' +type: "(?P<kind>\w+)",\n'
    r' +storageClassType: "(?P<storage>\w+)",\n',
    re.MULTILINE,
)
_STRUCT: Final = re.compile(
    r"= new (?P<name>\w+?)(?P<plural>List|OutputReference)"
    r"\(this, \"\w+\"(?:, (?P<set>true|false))?\)"
)
_TYPED_MAP: Final = re.compile(r"= new cdkt[fn]\.(String|Number|Boolean)Map\(")
_GETTER: Final = re.compile(r"this\.get(Number|String|Boolean|)(List|Map|)Attribute\('")
_VERSION: Final = re.compile(r"providerVersion: '([^']+)'")

_NAMED: Final = {"string": "string", "number": "number", "boolean": "bool", "": "string"}


@dataclass(frozen=True)
class Argument:
    """What can be written in a configuration: how it becomes Terraform's JSON."""

    kind: str  # simple | list | set | map | struct
    storage: str  # `string`, `stringList`, or the class of a block
    attribute: bool  # a list of objects that is an attribute in Terraform's eyes
    single: bool  # a block that may stand once

    @property
    def nested(self) -> str | None:
        """The class of the block's content; None for a plain value."""
        if self.storage[:1].islower():
            return None
        return self.storage if self.kind == "struct" else self.storage.removesuffix("List")


class Source:
    """The TypeScript source of one resource, data source or provider."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._classes = {found["name"]: found["body"] for found in _CLASS.finditer(text)}
        self._interfaces = {found["name"]: found["body"] for found in _INTERFACE.finditer(text)}
        self._functions = {
            found["name"].lower(): found["body"] for found in _HCL_FUNCTION.finditer(text)
        }

    @property
    def version(self) -> str:
        """The provider's version that the bindings were made from."""
        found = _VERSION.search(self._text)
        if found is None:
            raise ValueError("the source does not tell the version of its provider")
        return found[1]

    @property
    def main(self) -> str:
        """The class of the whole: the last one."""
        return list(self._classes)[-1]

    def block(self, name: str) -> Json:
        """The block of class `name`, in the form of `terraform providers schema -json`."""
        body = self._classes.get(name) or self._classes.get(f"{name}OutputReference")
        arguments = _arguments(
            body if body and name in self._classes else self._functions[name.lower()]
        )
        block: Json = {}
        for key, flags, code in self._members(name, body):
            argument = arguments.get(key)
            if argument is None or (argument.nested and argument.attribute):
                _add(block, "attributes", key, {"type": self._computed(code), **flags})
            elif argument.nested:
                _add(block, "block_types", key, self._nested(argument, flags))
            else:
                _add(block, "attributes", key, {"type": _plain(argument), **flags})
        return block

    def _members(self, name: str, body: str | None) -> Iterator[tuple[str, Json, str]]:
        """Name, flags and code of everything in a block."""
        for found in _FLAGS.finditer(body or ""):
            flags = ("computed", "optional", "required")
            if found["name"] != "alias":  # Terraform's own, in every provider
                yield found["name"], {f: True for f in flags if found[f] == "true"}, found["code"]
        if body is None:  # a block of a provider has an interface only
            names = {key.replace("_", ""): key for key in _arguments(self._functions[name.lower()])}
            for found in _MEMBER.finditer(self._interfaces[name]):
                flag = "optional" if found["optional"] else "required"
                yield names[found["name"].lower()], {flag: True}, ""

    def _nesting(self, argument: Argument) -> str:
        if argument.kind != "struct":
            return argument.kind
        # A single item of a list is told by its index; a single block (`timeouts`) has none.
        body = self._classes[f"{argument.storage}OutputReference"]
        return "list" if "terraformAttribute, false, 0)" in body else "single"

    def _nested(self, argument: Argument, flags: Json) -> Json:
        assert argument.nested is not None
        nesting = self._nesting(argument)
        nested: Json = {"nesting_mode": nesting, "block": self.block(argument.nested)}
        if flags.get("required"):
            nested["min_items"] = 1
        if argument.single and nesting != "single":
            nested["max_items"] = 1
        return nested

    def _computed(self, code: str) -> Any:
        """The type of an attribute by its field or getter, as Terraform writes types."""
        if struct := _STRUCT.search(code):
            members = {
                found["name"]: self._computed(found["code"])
                for found in _FLAGS.finditer(self._classes[f"{struct['name']}OutputReference"])
            }
            return ["set" if struct["set"] == "true" else "list", ["object", members]]
        if typed := _TYPED_MAP.search(code):
            return ["map", _NAMED[typed[1].lower()]]
        getter = _GETTER.search(code)
        if getter is None:
            raise ValueError(f"no type is told by\n{code}")
        one = _NAMED[getter[1].lower()]
        if getter[2] == "Map":
            return ["map", one]
        if getter[2] == "List":
            return ["set" if re.search(r"cdkt[fn]\.Fn\.tolist\(", code) else "list", one]
        return one


def _arguments(code: str) -> dict[str, Argument]:
    return {
        found["name"]: Argument(
            found["kind"],
            found["storage"],
            attribute="ToHclTerraform, false)" in found["value"],
            single="listMapperHcl(" not in found["value"],
        )
        for found in _ARGUMENT.finditer(code)
    }


def _plain(argument: Argument) -> Any:
    one = _NAMED[argument.storage.removesuffix("List").removesuffix("Map")]
    return one if argument.kind == "simple" else [argument.kind, one]


def _add(block: Json, part: str, key: str, value: Json) -> None:
    block.setdefault(part, {})[key] = value


@dataclass(frozen=True)
class Bindings:
    """Prebuilt bindings of one provider: name with version, and the archive of their source."""

    title: str
    provider: str
    archive: bytes

    @classmethod
    def installed(cls, provider: str) -> Bindings:
        package = distribution(f"cdktf-cdktf-provider-{provider}")
        where = Path(str(package.locate_file(f"cdktf_cdktf_provider_{provider}/_jsii")))
        [archive] = where.glob("*.tgz")
        title = f"{package.metadata['Name']} {package.version}"
        return cls(title, provider, archive.read_bytes())

    @classmethod
    def of_wheel(cls, wheel: Path) -> Bindings:
        name, version, *_ = wheel.name.split("-")
        with zipfile.ZipFile(wheel) as content:
            [archive] = [each for each in content.namelist() if each.endswith(".tgz")]
            return cls(
                f"{name.replace('_', '-')} {version}",
                name.rpartition("_")[2],
                content.read(archive),
            )


def _sources(package: Bindings, *, whole: bool) -> Iterator[tuple[str, Source]]:
    """The wanted sources by their folder in the bindings."""
    provider = package.provider
    folders = {
        "provider",
        *(name.replace("_", "-") for name in RESOURCES[provider]),
        *(f"data-{provider}-{name.replace('_', '-')}" for name in DATA_SOURCES[provider]),
    }
    wanted = {f"package/lib/{folder}/index.js": folder for folder in folders}
    with tarfile.open(fileobj=io.BytesIO(package.archive)) as members:
        for member in members:
            folder = wanted.pop(member.name, None)
            content = members.extractfile(member) if folder else None
            if folder is None or content is None:
                continue
            found = _SOURCE_MAP.search(content.read().decode())
            if found is None:
                raise ValueError(f"{member.name} has no source map")
            yield folder, Source(json.loads(base64.b64decode(found[1]))["sourcesContent"][0])
    if wanted and whole:
        raise ValueError(f"not in {package.title}: {', '.join(sorted(wanted))}")


def extract(package: Bindings, *, whole: bool = True) -> Json:
    """The schema document of one provider. ValueError for what `whole` bindings do not have."""
    provider = package.provider
    sources = dict(_sources(package, whole=whole))

    def blocks(names: tuple[str, ...], prefix: str = "") -> Json:
        folders = {name: f"{prefix}{name.replace('_', '-')}" for name in names}
        found = {name: sources[folder] for name, folder in folders.items() if folder in sources}
        return {
            f"{provider}_{name}": {"version": 0, "block": source.block(source.main)}
            for name, source in found.items()
        }

    itself = sources["provider"]
    return {
        "from": f"{package.title}: hashicorp/{provider} {itself.version}",
        "made_by": "tests/terraform/schemas/extract.py",
        "format_version": "1.0",
        "provider_schemas": {
            f"registry.terraform.io/hashicorp/{provider}": {
                "provider": {"version": 0, "block": itself.block(itself.main)},
                "resource_schemas": blocks(RESOURCES[provider]),
                "data_source_schemas": blocks(DATA_SOURCES[provider], f"data-{provider}-"),
            }
        },
    }


def main(words: list[str]) -> None:
    """Without words the installed bindings; else a folder's name and wheels."""
    here = Path(__file__).parent
    folder = here / words[0] if words else here
    folder.mkdir(exist_ok=True)
    for package in (
        [Bindings.of_wheel(Path(word)) for word in words[1:]]
        if words
        else map(Bindings.installed, RESOURCES)
    ):
        text = json.dumps(extract(package, whole=not words), indent=1, sort_keys=True)
        (folder / f"{package.provider}.json").write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
