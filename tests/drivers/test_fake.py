"""The fake driver holds the contract of the real ones, or tests built on it would prove nothing."""

from __future__ import annotations

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.errors import DriverError
from automation_bots.model import Device, Operation, Outcome, Risk, Status
from tests.drivers.contract import Bench, DriverContract, Lab

LIMIT = 1000


def _operation(name: str, risk: Risk) -> Operation:
    return Operation(name, help=name, risk=risk)


@pytest.mark.slow
class TestFake(DriverContract):
    @pytest.fixture
    def lab(self) -> Lab:
        fake = Fake(
            {
                "hello": Outcome("", Status.OK, "hello", "hello"),
                "loud": Outcome("", Status.OK, "x", "x" * LIMIT * 3),
                "bad1": Outcome("", Status.FAILED, "disk full"),
                "gone1": Outcome("", Status.UNREACHABLE, "no route to host"),
            },
            seconds={"slow": 60},
            output_limit=LIMIT,
        )
        return Lab(
            driver=fake,
            good=tuple(Device(f"web{n}") for n in (1, 2, 3)),
            broken=Device("bad1"),
            unreachable=Device("gone1"),
            hello=_operation("hello", Risk.READ),
            slow=_operation("slow", Risk.CHANGE),
            loud=_operation("loud", Risk.READ),
            touch=_operation("touch", Risk.CHANGE),
            touched=lambda: any(operation == "touch" for _, operation, _ in fake.ran),
            output_limit=LIMIT,
        )

    def test_it_remembers_what_ran_where(self, bench: Bench, lab: Lab):
        bench.run(lab.touch, lab.good[1])
        assert lab.driver.ran[-1] == (42, "touch", "web2")

    def test_it_can_be_told_to_fail_as_a_whole(self, bench: Bench, lab: Lab):
        lab.driver.error = DriverError("ansible is not installed")
        with pytest.raises(DriverError, match="not installed"):
            bench.run(lab.hello, lab.good[0])
