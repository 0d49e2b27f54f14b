"""Host keys of old devices: asked for, so that a person can compare them, before anything else is spoken of."""

import asyncio
import threading

import asyncssh
import pytest

from automation_bots.drivers.network.messages import Login
from automation_bots.drivers.network.session import connection
from automation_bots.drivers.ssh import keyscan
from automation_bots.drivers.ssh.access import Access, LoginFailed


@pytest.fixture(scope="module")
def old():
    """A device with nothing but an ssh-dss key and a key exchange of its time; its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    key = asyncssh.generate_private_key("ssh-dss")

    async def listen():
        return await asyncssh.listen("127.0.0.1", 0, server_host_keys=[key], kex_algs=["diffie-hellman-group14-sha1"])

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(20)
    yield server.get_port()
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


def test_a_key_of_the_oldest_kind_is_shown_where_the_inventory_says_so(old):
    found = keyscan.offered(Access("old1", "127.0.0.1", old, "none", legacy=True), 20)
    assert [key.type for key in found] == ["ssh-dss"]
    with pytest.raises(LoginFailed):
        keyscan.offered(Access("old1", "127.0.0.1", old, "none"), 20)


@pytest.mark.parametrize("legacy", [False, True])
def test_who_does_not_know_the_key_of_an_old_device_hears_of_the_key(old, legacy):
    login = Login("127.0.0.1", old, "bot", legacy=legacy)
    assert "offers ssh-dss SHA256:" in asyncio.run(connection._unknown_key(login, None, 20))
