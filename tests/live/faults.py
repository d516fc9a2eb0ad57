"""A server in front of an emulated cloud that fails on purpose, call by call.

It speaks plain HTTP on 127.0.0.1 and passes on what no fault is set for. EC2 names the call in the
form field `Action`; other services in the header `X-Amz-Target`.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

# What a fault does: given the handler and the true answer (status, headers, body).
Answer = tuple[int, dict[str, str], bytes]
Fault = Callable[["_Handler", Callable[[], Answer]], Answer | None]


@dataclass
class Faults:
    """`by_call` faults are looked up by `call@region`, call, and `*`; `times` limits how often
    they strike.

    `seen` counts the requests of each call, `asked` has the fields of its last one.
    """

    url: str = ""
    by_call: dict[str, Fault] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    asked: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def set(self, call: str, fault: Fault, times: int = 1_000_000) -> None:
        self.by_call[call] = fault
        self.times[call] = times

    def take(self, call: str, region: str = "") -> Fault | None:
        self.seen[call] += 1
        for name in (f"{call}@{region}", call, "*"):
            if name in self.by_call and self.times[name] > 0:
                self.times[name] -= 1
                return self.by_call[name]
        return None


class _Handler(BaseHTTPRequestHandler):
    faults: Faults
    behind: str
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        form = parse_qs(body.decode("utf-8", "replace"))
        call = form.get("Action", [self.headers.get("X-Amz-Target", "?").rpartition(".")[2]])[0]
        self.faults.asked[call] = form
        signed = self.headers.get("Authorization", "").partition("Credential=")[2].split("/")
        fault = self.faults.take(call, signed[2] if len(signed) > 2 else "")

        def true_answer() -> Answer:
            return self._pass_on(body)

        answer = true_answer() if fault is None else fault(self, true_answer)
        if answer is None:
            self.close_connection = True
            return
        status, headers, content = answer
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _pass_on(self, body: bytes) -> Answer:
        headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
        request = urllib.request.Request(self.behind, body, headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=20) as got:  # noqa: S310
                return got.status, dict(got.headers), got.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def log_message(self, *_: object) -> None:
        """The tests' output is for findings."""


@contextmanager
def faulty(behind: str) -> Iterator[Faults]:
    """A server that passes on to `behind`, until the block ends."""
    faults = Faults()
    handler = type("Handler", (_Handler,), {"faults": faults, "behind": behind})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    faults.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield faults
    finally:
        server.shutdown()
        server.server_close()


def refusing(status: int, code: str, message: str = "No.") -> Fault:
    """An error of the EC2 API."""

    def fault(_: _Handler, __: Callable[[], Answer]) -> Answer:
        body = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error>"
            "</Errors><RequestID>1</RequestID></Response>"
        )
        return status, {"Content-Type": "text/xml"}, body.encode()

    return fault


def reset(handler: _Handler, _: Callable[[], Answer]) -> None:
    """The connection is cut without an answer."""
    # Linger 0: the peer gets a reset, not an orderly end.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def slow(seconds: float) -> Fault:
    def fault(_: _Handler, answer: Callable[[], Answer]) -> Answer:
        time.sleep(seconds)
        return answer()

    return fault


def cut_short(_: _Handler, answer: Callable[[], Answer]) -> Answer:
    """Half of the answer, with a length that says it is whole."""
    status, headers, body = answer()
    return status, headers, body[: len(body) // 2]


def broken_off(handler: _Handler, answer: Callable[[], Answer]) -> None:
    """Half of the answer, then the connection ends."""
    status, headers, body = answer()
    handler.send_response(status)
    handler.send_header("Content-Type", headers.get("Content-Type", "text/xml"))
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])
    handler.wfile.flush()


def page_of_a_proxy(_: _Handler, __: Callable[[], Answer]) -> Answer:
    """A login page where an answer is due, with status 200."""
    return 200, {"Content-Type": "text/html"}, b"<html><body>Please sign in</body></html>"


def empty(_: _Handler, __: Callable[[], Answer]) -> Answer:
    return 200, {"Content-Type": "text/xml"}, b""


def changed(change: Callable[[bytes], bytes]) -> Fault:
    """The true answer, altered."""

    def fault(_: _Handler, answer: Callable[[], Answer]) -> Answer:
        status, headers, body = answer()
        return status, headers, change(body)

    return fault


def without(pattern: bytes) -> Fault:
    """The true answer without what the group of `pattern` matches, wherever it does."""

    def cut(found: re.Match[bytes]) -> bytes:
        return found[0].replace(found[1], b"")

    return changed(lambda body: re.sub(pattern, cut, body, flags=re.DOTALL))


def answering(body: bytes) -> Fault:
    """This answer, whatever is behind."""

    def fault(_: _Handler, __: Callable[[], Answer]) -> Answer:
        return 200, {"Content-Type": "text/xml"}, body

    return fault
