"""`!repos install` from real servers: https with a private authority, and ssh with a key and a known host."""

import json
import os
import shlex
import shutil
from urllib.parse import urlsplit

import pytest

from automation_bots.app.bot import Bot
from automation_bots.drivers.fake import Fake
from automation_bots.errors import ConfigError
from tests.repos import making, servers
from tests.repos.test_chat import SLOW, install, update
from tests.support.chatbot import BOT_TOML, ChatBot, write_folder

pytestmark = pytest.mark.slow
TOML = BOT_TOML + '[repos]\nhosts = ["{}", "{}"]\nseconds = 20\n'


@pytest.fixture
def chat(address, sshd, tmp_path):
    toml = TOML.format(urlsplit(address).netloc, f"{sshd.addresses[0]}:{sshd.port}")
    with ChatBot(write_folder(tmp_path / "bot", toml=toml), drivers=(Fake(),)) as chat:
        yield chat


@pytest.fixture
def repo(tmp_path):
    return making.repository(tmp_path / "served" / "greeter")


@pytest.fixture
def address(repo, tmp_path):
    with servers.https(repo.parent, tmp_path) as address:
        yield address


@pytest.fixture
def trusting(address, tmp_path, monkeypatch):
    """The address, of which the bot's machine knows the authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return address


@pytest.fixture
def told(address, tmp_path):
    """A bot whose bot.toml names the authority, and where packages and the index of plugins are."""
    more = f'ca = "../ca.pem"\npackages = "{address}/files/simple"\nindex = "{address}/files/repos.json"\n'
    toml = TOML.format(urlsplit(address).netloc, "git.example") + more
    with ChatBot(write_folder(tmp_path / "told", toml=toml), drivers=(Fake(),)) as chat:
        yield chat


def refused(chat, address):
    return chat.asks(f"!repos install {address}", "cannot be fetched", seconds=SLOW)


def test_over_https_with_a_private_authority_it_is_installed_and_updated(chat, repo, trusting):
    install(chat, f"{trusting}/greeter@v1.0")
    assert chat.asks("!hello") == "hello"
    making.commit(repo, making.files("newer"), tag="v1.1")
    update(chat, "greeter")
    assert chat.asks("!hello") == "newer"


def test_bot_toml_names_the_authority_for_git_packages_and_index(told, repo, address):
    making.wheel(repo.parent / "files" / "simple" / "greetings", "greetings", "1.2", "WORD = 'hullo'")
    making.commit(repo, {"requirements.txt": "greetings>=1\n"}, tag="v1.1")
    assert "greetings==1.2" in install(told, f"{address}/greeter@v1.1")
    making.commit(repo, making.files("newer"), tag="v1.2")
    update(told, "greeter")
    assert told.asks("!hello") == "newer"
    (repo.parent / "files" / "repos.json").write_text(json.dumps({"o/n": {"Greeter": {"repo": f"{address}/greeter"}}}))
    assert f"{address}/greeter" in told.asks("!repos search greeter")


def test_an_authority_that_is_not_there_stops_the_start(tmp_path):
    folder = write_folder(tmp_path / "bot", toml=TOML.format("git.example", "other.example") + 'ca = "absent.pem"\n')
    with pytest.raises(ConfigError, match=r"bot\.toml.*repos\.ca: there is no file .*absent\.pem"):
        Bot(folder, {"AUTOMATION_BOTS_DATA": str(tmp_path / "data")})


def test_a_commit_is_fetched_over_https(chat, repo, trusting):
    first = making.git(repo, "rev-parse", "HEAD")
    making.commit(repo, making.files("later"))
    install(chat, f"{trusting}/greeter@{first}")
    assert chat.asks("!hello") == "hello"


def test_a_certificate_of_an_unknown_authority_is_refused(chat, address):
    assert "certificate" in refused(chat, f"{address}/greeter")


def test_a_redirect_is_not_followed_and_nobody_is_asked_for_a_password(chat, trusting):
    assert "302" in refused(chat, f"{trusting}/moved/greeter")
    assert "could not read Username" in refused(chat, f"{trusting}/private/greeter")
    assert "not found" in refused(chat, f"{trusting}/nothing")


@pytest.fixture
def served(repo, sshd):
    """The same repository in the home of the lab's user, who has to own it."""
    bare = sshd.home / "greeter.git"
    making.git(repo, "clone", "-q", "--bare", ".", str(bare))
    for path in [bare, *bare.rglob("*")]:
        shutil.chown(path, sshd.user)
    yield f"ssh://{sshd.user}@{sshd.addresses[0]}:{sshd.port}{bare}"
    shutil.rmtree(bare)


def use_ssh(monkeypatch, folder, *settings):
    """A machine on which ssh has these settings."""
    folder.mkdir()
    script = folder / "ssh"
    script.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F /dev/null {shlex.join(settings)} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_over_ssh_with_a_key_and_a_known_host_it_is_installed(chat, served, sshd, tmp_path, monkeypatch):
    use_ssh(monkeypatch, tmp_path / "bin", "-i", str(sshd.key_file), "-o", f"UserKnownHostsFile={sshd.known_hosts}")
    install(chat, f"{served}@v1.0")
    assert chat.asks("!hello") == "hello"


def test_over_ssh_a_host_that_nobody_knows_is_refused(chat, served, sshd, tmp_path, monkeypatch):
    use_ssh(monkeypatch, tmp_path / "bin", "-i", str(sshd.key_file), "-o", "UserKnownHostsFile=/dev/null")
    assert "Host key verification failed" in refused(chat, served)


def test_over_ssh_without_a_key_nobody_is_asked_for_a_password(chat, served, sshd, tmp_path, monkeypatch):
    use_ssh(monkeypatch, tmp_path / "bin", "-o", f"UserKnownHostsFile={sshd.known_hosts}", "-o", "IdentityFile=none")
    assert "Permission denied" in refused(chat, served)
