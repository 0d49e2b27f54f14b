"""Missing values asked for by a form, where the network has forms."""

import pytest

from tests.chat.harness import wait
from tests.chat.networks.memory import Memory

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def net():
    """Give a network with forms."""
    net = Memory(forms=True)
    yield net
    net.close()


def test_a_form_asks_for_all_that_is_missing_at_once(talk, net, driver):
    _, question = talk.asks("!service restart", "Which name")
    net.choose(talk.ana, talk.room, question.id, "Fill in a form")
    wait(lambda: net.server.forms, 5)
    form = net.server.forms.pop()
    assert [field.name for field in form.fields] == ["name", "devices"]
    net.fill(talk.ana, talk.room, form, name="nginx", devices="web1")
    talk.hears("service restart nginx on web1 done in", thread=question.thread)


def test_a_form_of_somebody_else_completes_nothing(talk, net, driver):
    _, question = talk.asks("!service restart", "Which name")
    net.choose(talk.joe, talk.room, question.id, "Fill in a form")
    talk.hears("Nothing is asked of you here")
