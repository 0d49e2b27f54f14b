"""Behind a proxy for outgoing traffic: the server's name is known to the proxy alone, so nothing can go around it."""

import socket

import pytest

from automation_bots.model import File, Place
from tests.chat.conftest import VERBS
from tests.chat.harness import Talk
from tests.chat.networks.matrix import Matrix
from tests.chat.networks.mattermost import Mattermost
from tests.chat.networks.rocketchat import RocketChat
from tests.chat.networks.slack import SlackNet
from tests.fakes import certificates
from tests.fakes.certificates import NAME
from tests.fakes.matrix_gate import Gate
from tests.fakes.proxy import Proxy
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow


def mattermost(folder, _):
    net = Mattermost(tls=folder, buttons=False)
    return net, {"url": f"https://{NAME}:{net.server.port}"}


def rocketchat(folder, _):
    certificates.make(folder)
    net = RocketChat(certificates=folder)
    return net, {"url": f"https://{NAME}:{net.server.port}", "ca": str(folder / "ca.pem")}


def slack(_, __):
    net = SlackNet()
    net.lab.name = NAME
    return net, {"url": net.lab.url}


def matrix(folder, request):
    synapse = request.getfixturevalue("synapse")
    certificates.make(folder)
    net = Matrix(synapse, encrypted=False)
    net.gate.close()
    net.gate = Gate(synapse.url, folder)
    return net, {"server": net.gate.url.replace("127.0.0.1", NAME), "ca": str(folder / "ca.pem")}


@pytest.fixture
def proxy(monkeypatch):
    """A proxy that the environment names, as a machine behind a firewall has it."""
    with pytest.raises(OSError, match=r".+"):
        socket.getaddrinfo(NAME, 443)
    with Proxy(chat_lab_test="127.0.0.1") as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")  # where the people of the test are
        yield proxy


@pytest.mark.parametrize("make", [mattermost, rocketchat, slack, matrix])
def test_everything_goes_through_the_proxy_of_the_environment(make, proxy, driver, tmp_path, request):
    net, chat = make(tmp_path, request)
    with Talk(net, tmp_path / "bot", (driver,), chat=chat, files=VERBS) as talk:
        talk.asks("!whoami", "ana")
        net.send(talk.ana, talk.room, "!note on web1", "change.txt", b"by a proxy")
        wait(lambda: any(task.operation.name == "note" for task in driver.tasks), 15)
        talk.surface.upload(Place(talk.network, talk.room), File("blob.bin", b"\x00\xff"))
        assert talk.hears(r"blob\.bin").files == (("blob.bin", b"\x00\xff"),)
        net.cut()
        talk.asks("!whoami", "joe", who=talk.joe)
        assert [text for mark, text in talk.bot.errbot.client.examine() if mark == "WRONG"] == []
        driver.tasks.clear()
    net.close()
    assert proxy.seen
