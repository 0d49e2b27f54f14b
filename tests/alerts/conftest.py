"""One site a test."""

import pytest

from tests.alerts.site import Site


@pytest.fixture
def site(tmp_path):
    """A site whose record is closed at the end."""
    made = Site(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def plain_site(tmp_path):
    """The same where no message can be edited."""
    made = Site(tmp_path, edits=False)
    yield made
    made.store.close()
