"""Time and memory of `flowbridge audit` over many accounts of a simulated AWS.

    python -m bench.audit --accounts 200 --groups 50

A server process (moto) keeps the accounts, each with a deployment of Flowbridge and further groups
of someone else. The command runs in a process of its own, once over clean accounts and once after
some were tampered with; what it finds is checked, and its wall clock, CPU time and peak memory are
printed. The server's own time is in the wall clock.
"""

from __future__ import annotations

import argparse
import copy
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import yaml

from tests.terraform.emulated_ec2 import CREDENTIALS, REGION

_FIRST = 100_000_000_001
_RULES = 8  # in each foreign group


def serve(accounts: list[str], groups: int, folder: Path, out: Connection) -> None:
    """Make one account through the SDK, copy it to the others, serve all; then tamper on demand."""
    os.environ.update(CREDENTIALS)
    import boto3
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.ec2.models import ec2_backends

    from tests.live.aws.estates import live_site
    from tests.terraform.emulated_ec2 import emulated_ec2

    with emulated_ec2() as cloud:
        site = live_site(cloud.client, cloud.url, folder)
        here = [{"Name": "vpc-id", "Values": [site.vpc]}]
        own = len(site.client.describe_security_groups(Filters=here)["SecurityGroups"])
        for number in range(max(0, groups - own)):
            _foreign_group(site.client, site.vpc, number)
        template = ec2_backends[DEFAULT_ACCOUNT_ID][REGION]
        for number, account in enumerate(accounts):
            state = ec2_backends[account][REGION]
            kept = {"account_id", "region_name"}
            copied = copy.deepcopy(vars(template), {id(template): state})
            vars(state).update({k: v for k, v in copied.items() if k not in kept})
            _rename(state, f"edge-{number}")
        out.send((cloud.url, site.file.read_text("utf-8")))
        while (account := out.recv()) is not None:
            sts = boto3.client("sts", region_name=REGION, endpoint_url=cloud.url)
            keys = sts.assume_role(RoleArn=_role(account), RoleSessionName="bench")["Credentials"]
            client = boto3.client(
                "ec2",
                region_name=REGION,
                endpoint_url=cloud.url,
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys["SessionToken"],
            )
            client.authorize_security_group_ingress(
                GroupId=site.group("expressway-e_external"),
                IpPermissions=[_permission(22, "198.51.100.0/24")],
            )
            out.send(account)


def _rename(state: Any, name: str) -> None:
    """Deployments have names of their own, and so have their groups."""
    for groups in state.groups.values():
        for group in groups.values():
            group.name = group.name.replace("flowbridge/edge/", f"flowbridge/{name}/")
            group.group_name = group.name
            for rule in (*group.ingress_rules, *group.egress_rules):
                rule.ec2_backend = state  # a copied rule would keep the first account's
    for tags in state.tags.values():
        if "flowbridge:site" in tags:
            tags["flowbridge:site"] = name


def _foreign_group(client: Any, vpc: str, number: int) -> None:
    made = client.create_security_group(GroupName=f"theirs-{number}", Description="-", VpcId=vpc)
    client.authorize_security_group_ingress(
        GroupId=made["GroupId"],
        IpPermissions=[_permission(8000 + rule, f"10.{number}.0.0/16") for rule in range(_RULES)],
    )


def _permission(port: int, cidr: str) -> dict[str, Any]:
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "IpRanges": [{"CidrIp": cidr}],
    }


def _role(account: str) -> str:
    return f"arn:aws:iam::{account}:role/audit"


def audit(files: list[Path], url: str, at_once: int) -> Counter[str]:
    """Run the command over all files; its verdicts, and its cost printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    command = [sys.executable, "-m", "flowbridge", "audit", *map(str, files)]
    command += ["--endpoint-url", url, "--format", "json", "--at-once", str(at_once)]
    finished = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **CREDENTIALS}
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert finished.returncode in (0, 1), finished.stderr[-3000:]
    found = json.loads(finished.stdout)["deployments"]
    read = sum(each["read"]["security groups"] for each in found)
    rules = sum(each["read"]["security group rules"] for each in found)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    verdicts = Counter(each["verdict"] for each in found)
    print(
        f"{len(files)} accounts, {read} groups, {rules} rules, {at_once} at once: "
        f"{wall:.1f} s wall, {cpu:.1f} s CPU, peak {after.ru_maxrss / 1024:.0f} MB, "
        f"exit {finished.returncode}, {dict(verdicts)}"
    )
    return verdicts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--groups", type=int, default=50)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--tampered", type=int, default=3)
    chosen = parser.parse_args()
    accounts = [str(_FIRST + number) for number in range(chosen.accounts)]
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = multiprocessing.get_context("spawn").Process(
            target=serve, args=(accounts, chosen.groups, folder, theirs), daemon=True
        )
        server.start()
        theirs.close()
        try:
            _measure(ours, accounts, folder, chosen)
        finally:
            server.kill()


def _measure(
    ours: Connection, accounts: list[str], folder: Path, chosen: argparse.Namespace
) -> None:
    url, text = ours.recv()
    files = []
    for number, account in enumerate(accounts):
        data = yaml.safe_load(text)
        data |= {"name": f"edge-{number}", "provider": {"assume_role": _role(account)}}
        files.append(folder / f"{account}.yaml")
        files[-1].write_text(yaml.safe_dump(data), "utf-8")
    clean = audit(files, url, chosen.at_once)
    assert clean == {"clean": len(files)}, clean
    for account in accounts[: chosen.tampered]:
        ours.send(account)
        ours.recv()
    found = audit(files, url, chosen.at_once)
    assert found["drift"] == min(chosen.tampered, len(files)), found


if __name__ == "__main__":
    main()
