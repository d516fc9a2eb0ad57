"""Terraform providers without a cloud: real schemas, and resources that live in memory.

Terraform finds them by TF_REATTACH_PROVIDERS and does all that it does with a real provider:
it checks a configuration against the schema, plans, applies, refreshes and destroys. What a
cloud would compute is made up. Two things are checked as a cloud does: a resource is not deleted
while another one names it, and it is not changed or deleted when it is not there.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import grpc  # type: ignore[import-untyped, unused-ignore]
from tfplugin_proto import tfplugin5_5_pb2 as protocol
from tfplugin_proto import tfplugin5_5_pb2_grpc as services

from tests.terraform.message_pack import UNKNOWN, Unknown, pack, unpack

Json = dict[str, Any]
Values = dict[str, Any]

SCHEMAS: Final = Path(__file__).parent / "schemas"


class Memory(services.ProviderServicer):  # type: ignore[misc, unused-ignore]
    """One provider. `objects` are its resources by type and id."""

    def __init__(self, schema: Json) -> None:
        self.schema = schema
        self.objects: dict[tuple[str, str], Values] = {}
        self._made = 0
        self._one_at_a_time = threading.Lock()

    # --- what Terraform asks before anything is planned ---------------------------------------

    def GetSchema(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return protocol.GetProviderSchema.Response(
            provider=_schema(self.schema["provider"]),
            resource_schemas=_schemas(self.schema["resource_schemas"]),
            data_source_schemas=_schemas(self.schema["data_source_schemas"]),
        )

    def PrepareProviderConfig(self, request: Any, _context: Any) -> Any:  # noqa: N802
        return protocol.PrepareProviderConfig.Response(prepared_config=request.config)

    def Configure(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return protocol.Configure.Response()

    def Stop(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return protocol.Stop.Response()

    def ValidateResourceTypeConfig(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return protocol.ValidateResourceTypeConfig.Response()

    def ValidateDataSourceConfig(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        return protocol.ValidateDataSourceConfig.Response()

    # --- the life of a resource ---------------------------------------------------------------

    def UpgradeResourceState(self, request: Any, _context: Any) -> Any:  # noqa: N802
        state = json.loads(request.raw_state.json)
        return protocol.UpgradeResourceState.Response(upgraded_state=_value(state))

    def ReadResource(self, request: Any, _context: Any) -> Any:  # noqa: N802
        state = unpack(request.current_state.msgpack)
        found = self.objects.get((request.type_name, state["id"]))
        return protocol.ReadResource.Response(new_state=_value(found))

    def PlanResourceChange(self, request: Any, _context: Any) -> Any:  # noqa: N802
        planned = unpack(request.proposed_new_state.msgpack)
        if planned is not None and unpack(request.prior_state.msgpack) is None:
            planned = _computed(self._block(request.type_name), planned, lambda *_: UNKNOWN)
        return protocol.PlanResourceChange.Response(planned_state=_value(planned))

    def ApplyResourceChange(self, request: Any, _context: Any) -> Any:  # noqa: N802
        # Terraform applies many resources at a time, each in a thread of the server.
        with self._one_at_a_time:
            return self._apply(request)

    def _apply(self, request: Any) -> Any:
        kind = request.type_name
        prior = unpack(request.prior_state.msgpack)
        wanted = unpack(request.planned_state.msgpack)
        if prior is not None:
            refusal = self._refusal(kind, prior["id"], deleting=wanted is None)
            if refusal:
                return protocol.ApplyResourceChange.Response(
                    new_state=request.prior_state, diagnostics=[_error(refusal)]
                )
            del self.objects[kind, prior["id"]]
        if wanted is not None:
            self._made += 1
            wanted = _computed(self._block(kind), wanted, self._make_up)
            self.objects[kind, wanted["id"]] = wanted
        return protocol.ApplyResourceChange.Response(new_state=_value(wanted))

    def ReadDataSource(self, request: Any, _context: Any) -> Any:  # noqa: N802
        block = self.schema["data_source_schemas"][request.type_name]["block"]
        read = _computed(block, unpack(request.config.msgpack), lambda name, _: name)
        return protocol.ReadDataSource.Response(state=_value(read))

    # ------------------------------------------------------------------------------------------

    def _block(self, kind: str) -> Json:
        block: Json = self.schema["resource_schemas"][kind]["block"]
        return block

    def _refusal(self, kind: str, name: str, *, deleting: bool) -> str | None:
        if (kind, name) not in self.objects:
            return f"{name} is not there"
        if deleting:
            for other, values in self.objects.items():
                if other != (kind, name) and name in _texts(values):
                    return f"{name} is in use by {other[1]}"
        return None

    def _make_up(self, name: str, kind: Any) -> Any:
        """What a cloud might answer for the computed attribute `name` of this type."""
        if kind == "string":
            return f"{name}-{self._made}"
        if kind in ("number", "bool"):
            return {"number": 0, "bool": False}[kind]
        if kind[0] == "object":
            return {key: self._make_up(key, part) for key, part in kind[1].items()}
        return {} if kind[0] == "map" else []


def _computed(block: Json, values: Values, make: Callable[[str, Any], Any]) -> Values:
    """`values` with `make(name, type)` for each computed attribute that has no value yet."""
    out = dict(values)
    for name, attribute in block.get("attributes", {}).items():
        open_yet = out[name] is None or isinstance(out[name], Unknown)
        if open_yet and attribute.get("computed"):
            out[name] = make(name, attribute["type"])
    for name, nested in block.get("block_types", {}).items():
        inner = out[name]
        if isinstance(inner, list):
            out[name] = [_computed(nested["block"], item, make) for item in inner]
        elif isinstance(inner, dict):
            out[name] = _computed(nested["block"], inner, make)
    return out


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _value(value: Any) -> Any:
    return protocol.DynamicValue(msgpack=pack(value))


def _error(summary: str) -> Any:
    return protocol.Diagnostic(severity=protocol.Diagnostic.ERROR, summary=summary)


def _schemas(by_type: Json) -> dict[str, Any]:
    return {kind: _schema(schema) for kind, schema in by_type.items()}


def _schema(schema: Json) -> Any:
    return protocol.Schema(version=schema["version"], block=_block(schema["block"]))


def _block(block: Json) -> Any:
    return protocol.Schema.Block(
        attributes=[
            protocol.Schema.Attribute(
                name=name,
                type=json.dumps(attribute["type"]).encode(),
                required=attribute.get("required", False),
                optional=attribute.get("optional", False),
                computed=attribute.get("computed", False),
            )
            for name, attribute in block.get("attributes", {}).items()
        ],
        block_types=[
            protocol.Schema.NestedBlock(
                type_name=name,
                block=_block(nested["block"]),
                nesting=nested["nesting_mode"].upper(),
                min_items=nested.get("min_items", 0),
                max_items=nested.get("max_items", 0),
            )
            for name, nested in block.get("block_types", {}).items()
        ],
    )


@contextmanager
def memory_providers(
    folder: Path = SCHEMAS,
) -> Iterator[tuple[dict[str, str], dict[str, Memory]]]:
    """Serve every schema of a folder on a free port of 127.0.0.1 until the block ends.

    The environment in which Terraform finds the providers, and the providers by their short names.
    """
    with ExitStack() as running:
        attached: Json = {}
        providers: dict[str, Memory] = {}
        for file in sorted(folder.glob("*.json")):
            [(source, schema)] = json.loads(file.read_text("utf-8"))["provider_schemas"].items()
            providers[file.stem] = Memory(schema)
            workers = running.enter_context(ThreadPoolExecutor(4))
            server = grpc.server(workers)
            services.add_ProviderServicer_to_server(providers[file.stem], server)  # type: ignore[no-untyped-call, unused-ignore]
            port = server.add_insecure_port("127.0.0.1:0")
            server.start()
            running.callback(server.stop, None)
            attached[source] = {
                "Protocol": "grpc",
                "ProtocolVersion": 5,
                "Pid": os.getpid(),
                "Test": True,  # Terraform must not end this process when it is done
                "Addr": {"Network": "tcp", "String": f"127.0.0.1:{port}"},
            }
        yield {"TF_REATTACH_PROVIDERS": json.dumps(attached)}, providers
