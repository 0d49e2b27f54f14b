"""What may be typed after a job that did not go well."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from automation_bots.drivers.reach import driver as reach
from automation_bots.model import Outcome, State, Status
from automation_bots.operations.catalog import Catalog
from automation_bots.pipeline.afterwards import then
from tests.support.world import scope_of
from tests.test_render import JOB

POLICY = """
people:
  ana: {text: "@ana", groups: [admins]}
rules:
  - {name: look, who: everyone, may: [ping], on: web}
"""
AWAY = Outcome("web1", Status.UNREACHABLE, "timed out")


@pytest.fixture
def live(tmp_path):
    scope = scope_of(tmp_path, POLICY)
    catalog = Catalog({operation.name: operation for operation in reach.operations()})
    return SimpleNamespace(scope=scope, policy=scope.policy, catalog=catalog)


def test_a_device_that_was_not_reached_may_be_pinged(live):
    assert then(live, JOB, [Outcome("web2", Status.OK), AWAY]) == ("ping web1",)


@pytest.mark.parametrize(
    ("job", "outcome"),
    [
        (JOB, replace(AWAY, status=Status.FAILED)),  # it is there
        (JOB, replace(AWAY, device="db1")),  # not allowed there
        (replace(JOB, operation="ping"), AWAY),
        (replace(JOB, state=State.INTERRUPTED), AWAY),
        (JOB, replace(AWAY, status=Status.OK)),
    ],
)
def test_a_ping_that_helps_nobody_is_not_said(live, job, outcome):
    assert then(live, job, [outcome]) == ()
