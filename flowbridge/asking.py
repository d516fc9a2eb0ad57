"""A question about packets: the options that put it, and how it is asked of a deployment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from flowbridge.answer import Format, refuse, refusing
from flowbridge.completion import places

if TYPE_CHECKING:
    from flowbridge.catalog.load import Catalog
    from flowbridge.catalog.ports import PortRange
    from flowbridge.deployment.finding import Finding
    from flowbridge.policy.questions.question import Question
    from flowbridge.stacks.pipeline import Built
    from flowbridge.stacks.seen import Seen

Found = TypeVar("Found")

_LAST_ICMP_TYPE = 255
PROTOCOLS = ["tcp", "udp", "icmp", "icmpv6", "ah", "esp", "gre"]


class Ports(click.ParamType["PortRange"]):
    """`443`, `36000-59999` or `any`."""

    name = "PORT[-PORT]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> PortRange:
        from flowbridge.catalog.ports import PortRange

        try:
            return PortRange.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


PORTS = Ports()
destination_option = click.option(
    "--to",
    "destination",
    required=True,
    shell_complete=places,
    help="Workload, interface, system or address.",
)
protocol_option = click.option(
    "--protocol", type=click.Choice(PROTOCOLS), required=True, help="The IP protocol."
)
port_option = click.option(
    "--port",
    "port",
    type=PORTS,
    help="Destination port or range. Of ICMP the type, for instance 8 (or type*256+code).",
)


def question(
    answer_format: Format,
    source: str,
    destination: str,
    protocol: str,
    port: object,
    source_port: object = None,
) -> Question:
    """The question that the options put; a port that is needed and missing is bad usage."""
    from flowbridge.catalog.ports import ANY_PORT, PortRange
    from flowbridge.catalog.protocol import Protocol
    from flowbridge.policy.questions.question import Question

    l4 = Protocol.parse(protocol)
    if port is None and l4.has_ports:
        refuse(answer_format, f"--port is missing: name the destination port of {protocol}")
    ports = port if isinstance(port, PortRange) else ANY_PORT
    sources = source_port if isinstance(source_port, PortRange) else ANY_PORT
    if l4 in (Protocol.ICMP, Protocol.ICMPV6) and ports.last <= _LAST_ICMP_TYPE:
        return Question.ask(source, destination, protocol, (ports,), (sources,))
    return Question(source, destination, l4, (ports,), (sources,))


def ask(
    file: Path, asked: Question, answer: Callable[..., Found], answer_format: Format
) -> tuple[Found, Seen, Catalog]:
    """`answer` (trace or explain of `policy.questions`) to what is `asked` of `file`."""
    from flowbridge.stacks.pipeline import catalog_of

    with refusing(answer_format):
        whole = deployment_in(file)
        catalog = catalog_of(whole.resolution)
        try:
            found = answer(
                whole.resolution,
                whole.policy,
                whole.enforcement,
                asked,
                (*catalog.entries(), *catalog.closed_entries()),
                catalog.parties,
                whole.around,
            )
        except ValueError as error:
            refuse(answer_format, str(error))
    return found, whole, catalog


def deployment_in(file: Path) -> Seen:
    """The deployment of one file, with all its places and what is emitted for them.

    What refuses it and could be accepted in words is said on stderr: whoever asks is about to
    look what it does. BadFileError where it cannot be built, or nobody can accept it.
    """
    from flowbridge.stacks.pipeline import build_all, judge
    from flowbridge.stacks.seen import seen

    return seen([judge(each) for each in build_all([file], _told)])


def _told(file: Path) -> tuple[Built, ...]:
    """The stacks of one file; refusals that can be accepted are told and refuse no answer."""
    from flowbridge.stacks.pipeline import build_file

    return tuple(replace(built, findings=tuple(_spared(built))) for built in build_file(file))


def _spared(built: Built) -> Iterator[Finding]:
    from flowbridge.deployment.checks.accepted import ACCEPTABLE
    from flowbridge.deployment.finding import Severity

    for problem, refusal in zip(built.refused(), built.refusals, strict=True):
        if refusal.id in ACCEPTABLE:
            click.echo(f"refused by check and synth: {problem}", err=True)
    for found in built.findings:
        spared = found.severity is Severity.REFUSAL and found.id in ACCEPTABLE
        yield replace(found, severity=Severity.WARNING) if spared else found
