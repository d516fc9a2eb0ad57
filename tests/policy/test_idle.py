"""Silence: a filter forgets, and a feature that outlasts it hangs on a keepalive."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowbridge.catalog.feature import features_of, services_with_features
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.file.site import Cloud
from flowbridge.policy.questions.rehearsal import Answer
from flowbridge.providers.idle_timer import idle_timers, remembered
from tests.deployment.files import setting
from tests.policy.test_rehearsal import PHONES, checked, of

AWS_TCP, UDP_STREAM = 350, 180


def test_each_cloud_has_a_table_with_sources() -> None:
    known = {(cloud, p): s for cloud in Cloud for p, s in remembered(cloud).items()}
    assert known == {
        (Cloud.AWS, Protocol.TCP): AWS_TCP,
        (Cloud.AWS, Protocol.UDP): UDP_STREAM,
        (Cloud.AZURE, Protocol.TCP): 240,
        (Cloud.AZURE, Protocol.UDP): 240,
        (Cloud.GCP, Protocol.TCP): 600,
        (Cloud.GCP, Protocol.UDP): 600,
    }
    assert all(timer.source for cloud in Cloud for timer in idle_timers(cloud))


def test_a_gateway_that_hangs_up_after_a_long_call_needs_a_keepalive(tmp_path: Path) -> None:
    gateway = {"addresses": ["10.47.0.1"]}
    data = setting(PHONES, systems__gateway=gateway, services=["cucm-gateways"])
    found = of(data, tmp_path)
    assert found["cucm-gateways/h323"].answer is Answer.CONDITION
    (condition,) = found["cucm-gateways/h323"].conditions
    assert condition.startswith(f"a keepalive is shorter than {AWS_TCP} s: ")
    assert found["cucm-gateways/sip"].answer is Answer.WORKS


def test_a_registration_is_refreshed_in_time_on_every_cloud() -> None:
    refreshed = features_of("cucm-phones")["cucm-phones/sip-registration"].steps[0].idle
    assert refreshed is not None
    for cloud in Cloud:
        assert refreshed.seconds < remembered(cloud)[Protocol.TCP]


@pytest.mark.parametrize(
    ("example", "answer"), [("azure-edge", Answer.CONDITION), ("emea-edge", Answer.WORKS)]
)
def test_rules_that_let_the_other_side_speak_need_no_memory(example: str, answer: Answer) -> None:
    """Expressway-E may call whom it likes: on AWS, which matches no source ports, what it sends
    over the caller's connection is such a packet; on Azure it leaves from 5061 and is none."""
    found = {feature.id: feature for feature in checked(example).features}
    assert found["sip-calls/call-in"].answer is answer


def test_every_silence_names_its_source() -> None:
    steps = [s for n in services_with_features() for f in features_of(n).values() for s in f.steps]
    idle = [step.idle for step in steps if step.idle is not None]
    assert len(idle) >= 9
    assert all(each.source.section and each.why for each in idle)
