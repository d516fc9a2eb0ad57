"""A plan of real Terraform with the real AWS provider, in the shape of a well-known module, judged.

https://github.com/terraform-aws-modules/terraform-aws-security-group (main.tf): the group's id
comes to its rules by a local, which the JSON of a plan does not have.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from flowbridge.providers.meaning.foreign import Wearing
from flowbridge.stacks.judging import judge_plan
from tests.stacks.judging.sites import ASKED, C, E, built
from tests.terraform.run import Terraform

pytestmark = pytest.mark.slow

MODULE = """\
variable "name" {}
variable "ingress" { default = [] }
variable "egress" { default = [] }
locals {
  made       = aws_security_group.this_name_prefix.*.id
  this_sg_id = concat(aws_security_group.this.*.id, local.made, [""])[0]
}
resource "aws_security_group" "this" {
  count  = 0
  vpc_id = "vpc-0a1b2c3d4e5f60718"
}
resource "aws_security_group" "this_name_prefix" {
  count       = 1
  name_prefix = "${var.name}-"
  vpc_id      = "vpc-0a1b2c3d4e5f60718"
}
resource "aws_security_group_rule" "ingress" {
  count             = length(var.ingress)
  security_group_id = local.this_sg_id
  type              = "ingress"
  protocol          = var.ingress[count.index].protocol
  from_port         = var.ingress[count.index].port
  to_port           = var.ingress[count.index].port
  cidr_blocks       = split(",", var.ingress[count.index].peer)
}
resource "aws_vpc_security_group_egress_rule" "egress" {
  for_each          = { for each in var.egress : "${each.protocol}-${each.port}" => each }
  security_group_id = local.this_sg_id
  ip_protocol       = each.value.protocol
  from_port         = each.value.port
  to_port           = each.value.port
  cidr_ipv4         = each.value.peer
}
output "security_group_id" {
  value = try(aws_security_group.this[0].id, aws_security_group.this_name_prefix[0].id, "")
}
"""
ROOT = """\
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}
module "edge" {
  source  = "./security-group"
  name    = "edge"
  ingress = INGRESS
  egress  = EGRESS
}
resource "aws_security_group" "more" {
  name   = "more"
  vpc_id = "vpc-0a1b2c3d4e5f60718"
  dynamic "ingress" {
    for_each = toset(["198.51.100.7/32"])
    content {
      protocol        = "tcp"
      from_port       = 8443
      to_port         = 8443
      cidr_blocks     = [ingress.value]
      security_groups = [module.edge.security_group_id]
    }
  }
}
resource "aws_network_interface" "edge" {
  subnet_id       = "subnet-0a1b2c3d4e5f60aaa"
  private_ips     = ["10.0.1.11"]
  security_groups = [module.edge.security_group_id, aws_security_group.more.id]
}
"""


def test_a_plan_of_real_terraform(
    tmp_path: Path, offline: Mapping[str, str], terraform_command: tuple[str, ...]
) -> None:
    text = ROOT
    for way in ("ingress", "egress"):
        rules = [
            {"protocol": protocol, "port": port, "peer": peer}
            for w, protocol, port, peer in ASKED
            if w == way
        ]
        text = text.replace(way.upper(), json.dumps(rules))
    (tmp_path / "main.tf").write_text(text, "utf-8")
    (tmp_path / "security-group").mkdir()
    (tmp_path / "security-group" / "main.tf").write_text(MODULE, "utf-8")
    terraform = Terraform(terraform_command, tmp_path, offline)
    terraform.init()
    terraform.run("plan", "-input=false", "-refresh=false", "-out=plan.bin")
    document = json.loads(terraform.run("show", "-json", "plan.bin"))

    group = "module.edge.aws_security_group.this_name_prefix"
    right = judge_plan(built("aws"), document, Wearing({C: (group,), E: (group,)}), changes=True)
    assert right.holds, [str(each) for each in right.untold]
    assert right.effects

    by_address = judge_plan(built("aws"), document, Wearing({C: (group,)}))
    told = "\n".join(map(str, by_address.untold))
    assert by_address.estate.worn[E].what == ("aws_network_interface.edge",)
    # What the dynamic block refers to does not show, nor do ids written out beside references.
    assert "aws_security_group.more.ingress[0]" in told
    assert "aws_network_interface.edge" in told
    [opened] = by_address.opened
    assert opened.rule is not None
    assert opened.rule.id == "aws_security_group.more.ingress[0]"
    assert "198.51.100.7" in str(opened.packets.example())
    assert not by_address.missing
