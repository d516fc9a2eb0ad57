"""The part of MessagePack that Terraform's plugin protocol uses, with its unknown values.

Terraform writes a value it does not know yet as an extension type: 0, or 12 with what it does know
of it (github.com/hashicorp/terraform, docs/plugin-protocol/object-wire-format.md). JSON, which the
protocol also takes, has no unknown values.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Unknown:
    """A value that is only known after apply; `code` and `data` as they were read."""

    code: int = 0
    data: bytes = b"\x00"


UNKNOWN: Final = Unknown()

_NUMBERS: Final = {
    0xCA: ">f",
    0xCB: ">d",
    0xCC: ">B",
    0xCD: ">H",
    0xCE: ">I",
    0xCF: ">Q",
    0xD0: ">b",
    0xD1: ">h",
    0xD2: ">i",
    0xD3: ">q",
}
_TEXTS: Final = {0xD9: ">B", 0xDA: ">H", 0xDB: ">I"}
_BYTES: Final = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I"}
_LISTS: Final = {0xDC: ">H", 0xDD: ">I"}
_MAPS: Final = {0xDE: ">H", 0xDF: ">I"}
_EXTENSIONS: Final = {0xC7: ">B", 0xC8: ">H", 0xC9: ">I"}
_FIXED_EXTENSIONS: Final = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_CONSTANTS: Final = {0xC0: None, 0xC2: False, 0xC3: True}


def unpack(data: bytes) -> Any:
    """The value in `data`; ValueError for what the protocol does not use."""
    return _Reader(data).value()


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def value(self) -> Any:
        head = self._take(1)[0]
        if head in _CONSTANTS:
            return _CONSTANTS[head]
        if head < 0x80 or head >= 0xE0:
            return head if head < 0x80 else head - 0x100
        if head in _NUMBERS:
            return self._number(_NUMBERS[head])
        if head < 0xC0 or head in _TEXTS or head in _BYTES or head in _LISTS or head in _MAPS:
            return self._sized(head)
        return self._extension(head)

    def _sized(self, head: int) -> Any:
        if head < 0x90 or head in _MAPS:
            pairs = self._number(_MAPS[head]) if head in _MAPS else head & 0x0F
            return {self.value(): self.value() for _ in range(pairs)}
        if head < 0xA0 or head in _LISTS:
            items = self._number(_LISTS[head]) if head in _LISTS else head & 0x0F
            return [self.value() for _ in range(items)]
        if head in _BYTES:
            return self._take(self._number(_BYTES[head]))
        length = self._number(_TEXTS[head]) if head in _TEXTS else head & 0x1F
        return self._take(length).decode()

    def _extension(self, head: int) -> Unknown:
        if head in _FIXED_EXTENSIONS:
            length = _FIXED_EXTENSIONS[head]
        elif head in _EXTENSIONS:
            length = self._number(_EXTENSIONS[head])
        else:
            raise ValueError(f"byte {head:#x} is not used by the protocol")
        code = self._number(">b")
        return Unknown(code, self._take(length))

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _take(self, length: int) -> bytes:
        taken = self._data[self._at : self._at + length]
        if len(taken) < length:
            raise ValueError("the data ends too early")
        self._at += length
        return taken


def pack(value: Any) -> bytes:
    """`value` as MessagePack; every size in its longest form, which readers take as well."""
    match value:
        case None:
            return b"\xc0"
        case bool():
            return b"\xc3" if value else b"\xc2"
        case int():
            return struct.pack(">Bq", 0xD3, value)
        case float():
            return struct.pack(">Bd", 0xCB, value)
        case str():
            text = value.encode()
            return struct.pack(">BI", 0xDB, len(text)) + text
        case bytes():
            return struct.pack(">BI", 0xC6, len(value)) + value
        case list():
            return struct.pack(">BI", 0xDD, len(value)) + b"".join(map(pack, value))
        case dict():
            pairs = b"".join(pack(key) + pack(item) for key, item in value.items())
            return struct.pack(">BI", 0xDF, len(value)) + pairs
        case Unknown():
            return struct.pack(">BIb", 0xC9, len(value.data), value.code) + value.data
    raise TypeError(f"{type(value).__name__} does not cross the plugin protocol")
