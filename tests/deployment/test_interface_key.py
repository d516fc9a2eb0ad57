"""The name of an interface is read once and written in one way."""

from __future__ import annotations

import pytest

from flowbridge.catalog.printed import Nic, nic
from flowbridge.deployment.interface_key import InterfaceKey, read_interface_key, workload_of


def test_a_key_is_written_as_it_is_read() -> None:
    assert read_interface_key("expressway-e/external") == InterfaceKey("expressway-e", "external")
    assert str(InterfaceKey("expressway-e", "external")) == "expressway-e/external"
    elsewhere = InterfaceKey("expressway-e", "external", "dmz-vpc")
    assert read_interface_key("dmz-vpc:expressway-e/external") == elsewhere
    assert str(elsewhere) == "dmz-vpc:expressway-e/external"


def test_a_workload_is_its_own() -> None:
    assert workload_of("expressway-e/external") == workload_of("expressway-e") == "expressway-e"
    assert workload_of("dmz-vpc:cucm/single") == "cucm"
    assert workload_of("2001:db8::/32") == "2001:db8::/32"


@pytest.mark.parametrize("text", ["", "cucm", "/single", "cucm/"])
def test_what_is_no_interface_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expressway-e/external"):
        read_interface_key(text)


def test_a_cell_says_which_card_it_prints() -> None:
    assert nic("Expressway-E プライベート IP (外部 NIC)") is Nic.EXTERNAL
    assert nic("Expressway-E 内部 NIC") is Nic.INTERNAL
    assert nic("Expressway-E パブリック IP") is None
