"""All that is read of one place, by GET and LIST calls alone.

An answer is believed only where it does not contradict itself: every page says what kind of list
it is, a network says its name, a firewall rule that is in force is among the rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.policy.audit.estate import Cause
from flowbridge.providers.gcp.live.answers import Answers, Part, Place, network_parts
from flowbridge.providers.gcp.live.client import Connection
from flowbridge.providers.gcp.live.faults import fault_of
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.gathering import Gathering
from flowbridge.providers.live.reading import GarbledError

_LINKS: Final = "https://www.googleapis.com/compute/v1"
# Secure tags are read machine by machine.
_MOST_TAGGED: Final = 1000

Reading = Gathering[Place, Part]


def fetch(site: Site, access: Access, *, asides: bool = False) -> Answers:
    """See `providers.live.contract.LiveReader.fetch`."""
    place = Place.of(site, access)
    reading = Reading(place, fault_of)
    try:
        connection = Connection(place, access)
    except Exception as error:
        # Whatever the SDK raises while it finds credentials is a fault of this place, not ours.
        reading.fail("credentials", error)
        return _answers(reading)
    _read(reading, connection)
    if asides:
        reading.keep(
            Part.PROJECT,
            "compute.projects.get",
            lambda: [_project(reading, connection)],
            aside=True,
        )
    return _answers(reading)


def _answers(reading: Reading) -> Answers:
    return Answers(reading.place, reading.parts, tuple(reading.unread), tuple(reading.asides))


def _read(reading: Reading, connection: Connection) -> None:
    place = reading.place
    reading.keep(
        Part.NETWORKS,
        "compute.networks.get",
        lambda: [_network(connection, *each) for each in place.networks],
    )
    if any(unread.cause is Cause.ABSENT for unread in reading.unread):
        return
    reading.keep(
        Part.EFFECTIVE,
        "compute.networks.getEffectiveFirewalls",
        lambda: [row for each in place.networks for row in _effective(connection, place, *each)],
    )
    reading.keep(
        Part.FIREWALLS,
        "compute.firewalls.list",
        lambda: _firewalls(reading, connection),
    )
    reading.keep(
        Part.INSTANCES,
        "compute.instances.list",
        lambda: _instances(connection, place.project),
    )
    _read_elsewhere(reading, connection)
    if place.in_policies:
        reading.keep(
            Part.POLICIES,
            "compute.firewallPolicies.list",
            lambda: [
                row
                for project in place.projects
                for row in _listed(connection, "NetworkFirewallPoliciesClient", project)
            ],
        )
    if any(_secure(rule) for row in reading.parts.get(Part.EFFECTIVE, ()) for rule in _rules(row)):
        reading.keep(
            Part.TAGS,
            "compute.instances.listEffectiveTags",
            lambda: _tags(reading, connection),
        )


def _plain(message: Any) -> dict[str, Any]:
    """The message as JSON, in the API's own names; what was not in the answer is left out."""
    row: dict[str, Any] = type(message).to_dict(
        message,
        preserving_proto_field_name=False,
        always_print_fields_with_no_presence=False,
        use_integers_for_enums=False,
    )
    return row


def _pages(pager: Any) -> Iterable[Any]:
    """The pages of a list. GarbledError for a page that is none, or that repeats."""
    seen: set[str] = set()
    for page in pager.pages:
        if not page.kind:
            raise GarbledError("a page that does not say what kind of list it is")
        token = page.next_page_token
        if token and token in seen:
            raise GarbledError("the pages of the list repeat")
        seen.add(token)
        yield page


def _listed(connection: Connection, kind: str, project: str) -> list[Row]:
    pager = connection.client(kind).list(project=project, **connection.asking())
    return [_plain(each) for page in _pages(pager) for each in page.items]


def _network(connection: Connection, project: str, name: str) -> Row:
    client = connection.client("NetworksClient")
    row = _plain(client.get(project=project, network=name, **connection.asking()))
    if row.get("name") != name:
        raise GarbledError(f"asked for the network {name}, and the answer is about another")
    return {**row, "project": project}


def _rules(policy: Row) -> Sequence[Row]:
    return policy.get("rules") or ()


def _secure(rule: Row) -> bool:
    return bool(rule.get("targetSecureTags") or (rule.get("match") or {}).get("srcSecureTags"))


def _effective(connection: Connection, place: Place, project: str, name: str) -> list[Row]:
    """The firewall policies in force in a network, regional ones last, and its rules' names."""
    whole = _plain(
        connection.client("NetworksClient").get_effective_firewalls(
            project=project, network=name, **connection.asking()
        )
    )
    regional = _plain(
        connection.client("RegionNetworkFirewallPoliciesClient").get_effective_firewalls(
            # This call takes a link where the others take a name, as gcloud does.
            project=project,
            region=place.region,
            network=f"{_LINKS}/projects/{project}/global/networks/{name}",
            **connection.asking(),
        )
    )
    found = [*(whole.get("firewallPolicys") or ())]
    found += [
        each
        for each in regional.get("firewallPolicys") or ()
        if "REGIONAL" in str(each.get("type", ""))
    ]
    rules = [each["name"] for each in whole.get("firewalls") or ()]
    here = {"network": (project, name)}
    return [{**each, **here} for each in found] + [{**here, "firewalls": rules}]


def _firewalls(reading: Reading, connection: Connection) -> list[Row]:
    found: list[Row] = []
    for project in reading.place.projects:
        rows = _listed(connection, "FirewallsClient", project)
        if lost := [row for row in rows if not row.get("name") or not row.get("network")]:
            raise GarbledError(f"a firewall rule without name or network: {lost[0]}")
        found += [{**row, "project": project} for row in rows]
    known = {(*network_parts(row["network"], row["project"]), row["name"]) for row in found}
    for row in reading.parts.get(Part.EFFECTIVE, ()):
        for name in row.get("firewalls", ()):
            if (*row["network"], name) not in known:
                raise GarbledError(f"the rule {name} is in force, and not in the list of rules")
    return found


def _instances(connection: Connection, project: str) -> list[Row]:
    client = connection.client("InstancesClient")
    pager = client.aggregated_list(project=project, **connection.asking())
    found: list[Row] = []
    for page in _pages(pager):
        if page.unreachables:
            raise ConnectionError(f"not reachable: {', '.join(page.unreachables)}")
        for zone, scoped in page.items.items():
            if "UNREACHABLE" in str(scoped.warning.code):
                raise ConnectionError(f"not reachable: {zone}")
            found.extend({**_plain(each), "project": project} for each in scoped.instances)
    return found


def _read_elsewhere(reading: Reading, connection: Connection) -> None:
    """The machines of the other projects that may use our networks (Shared VPC).

    What cannot be read of them ends no verdict by itself: a rule whose source may be such a machine
    is told as one that cannot be told.
    """
    if reading.over or Part.INSTANCES not in reading.parts:
        return
    unseen: list[Row] = []
    machines = list(reading.parts[Part.INSTANCES])
    for host in reading.place.projects:
        try:
            users = _users(connection, host)
        except Exception as error:
            # Nothing but the SDK runs here: what it raises is an answer, too.
            unseen.append(_unseen(host, "*", error))
            continue
        for project in dict.fromkeys((host, *users)):
            if project == reading.place.project or any(m["project"] == project for m in machines):
                continue
            try:
                machines += _instances(connection, project)
            except Exception as error:
                unseen.append(_unseen(host, project, error))
    reading.parts[Part.INSTANCES] = tuple(machines)
    reading.parts[Part.UNSEEN] = tuple(unseen)


def _users(connection: Connection, host: str) -> list[str]:
    """The service projects that use the networks of `host`; none where it shares none."""
    client = connection.client("ProjectsClient")
    row = _plain(client.get(project=host, **connection.asking()))
    if row.get("name") != host:
        raise GarbledError(f"asked for the project {host}, and the answer is about another")
    if row.get("xpnProjectStatus") != "HOST":
        return []
    pager = client.get_xpn_resources(project=host, **connection.asking())
    rows = [_plain(each) for page in _pages(pager) for each in page.resources]
    return [str(each["id"]) for each in rows if each.get("type") == "PROJECT"]


def _unseen(host: str, project: str, error: Exception) -> Row:
    fault = fault_of(error)
    return {"host": host, "project": project, "cause": str(fault.cause), "message": fault.message}


def _project(reading: Reading, connection: Connection) -> Row:
    client = connection.client("ProjectsClient")
    return _plain(client.get(project=reading.place.projects[0], **connection.asking()))


def _tags(reading: Reading, connection: Connection) -> list[Row]:
    """The secure tags of every machine in our networks, from the tag service of its zone."""
    from google.auth.transport.requests import AuthorizedSession

    numbers = {reading.place.project: _number(connection, reading.place.project)}
    session = AuthorizedSession(connection.credentials)  # type: ignore[no-untyped-call]
    machines = [
        row
        for row in reading.parts.get(Part.INSTANCES, ())
        if any(
            network_parts(nic.get("network", ""), reading.place.project) in reading.place.networks
            for nic in row.get("networkInterfaces") or ()
        )
    ]
    if len(machines) > _MOST_TAGGED:
        raise GarbledError(f"{len(machines)} machines are more than are asked for their tags")
    found: list[Row] = []
    unseen = list(reading.parts.get(Part.UNSEEN, ()))
    for row in machines:
        project = str(row["project"])
        try:
            if project not in numbers:
                numbers[project] = _number(connection, project)
            effective = _tags_of(session, connection, numbers[project], row)
        except Exception as error:
            if project == reading.place.project:
                raise
            unseen += [_unseen(host, project, error) for host in reading.place.projects]
            continue
        tags = [str(each["tagValue"]) for each in effective]
        found.append({"instance": row["id"], "tags": tags, "effective": effective})
    reading.parts[Part.UNSEEN] = tuple(unseen)
    return found


def _number(connection: Connection, project: str) -> int:
    client = connection.client("ProjectsClient")
    return int(client.get(project=project, **connection.asking()).id)


def _tags_of(session: Any, connection: Connection, project: int, row: Row) -> list[Row]:
    from google.api_core.exceptions import from_http_response

    zone = str(row["zone"]).rsplit("/", 1)[-1]
    server = connection.endpoint or f"https://{zone}-cloudresourcemanager.googleapis.com"
    parent = f"//compute.googleapis.com/projects/{project}/zones/{zone}/instances/{row['id']}"
    found: list[Row] = []
    token = ""
    while True:
        asked = {"parent": parent, "pageSize": "300", **({"pageToken": token} if token else {})}

        def ask(asked: dict[str, str] = asked) -> Any:
            answer = session.get(
                f"{server}/v3/effectiveTags",
                params=asked,
                timeout=connection.asking()["timeout"],
            )
            if answer.status_code >= 400:
                raise from_http_response(answer)  # type: ignore[no-untyped-call]
            return answer.json()

        body = connection.retry()(ask)()
        if not isinstance(body, dict) or not isinstance(body.get("effectiveTags", []), list):
            raise GarbledError("an answer about tags that is none")
        found += body.get("effectiveTags", [])
        following = str(body.get("nextPageToken") or "")
        if not following:
            return found
        if following == token:
            raise GarbledError("the pages of the list repeat")
        token = following
