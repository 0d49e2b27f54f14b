"""One bot's folder on all networks, one after the other: only `backend` and [chat] of bot.toml change."""

import pytest
import yaml

from automation_bots.text.yaml_lines import load_yaml
from tests.chat import transcript
from tests.chat.harness import HOSTS, Talk, toml_of
from tests.chat.networks.matrix import Matrix
from tests.chat.networks.mattermost import Mattermost
from tests.chat.networks.plain import Terminal
from tests.chat.networks.rocketchat import RocketChat
from tests.chat.networks.slack import SlackNet
from tests.support.chatbot import write_folder

pytestmark = pytest.mark.slow
CONVERSATIONS = [path for path in transcript.ALL if path.stem in {"look", "approval", "files"}]
ORDER = ["slack", "mattermost", "matrix", "rocketchat", "text"]


@pytest.fixture
def talks(synapse, driver, tmp_path):
    """Give the same three people on five networks."""
    nets = [SlackNet(), Mattermost(), Matrix(synapse, encrypted=True), RocketChat(), Terminal()]
    yield [Talk(net, tmp_path / net.backend, (driver,)) for net in nets]
    for net in nets:
        net.close()


def policy_of_all(talks):
    """One policy in which each person has an id on every network."""
    found, *others = (load_yaml(talk.folder / "policy.yml")[0] for talk in talks)
    for name in found["people"]:
        for other in others:
            found["people"][name] |= other["people"][name]
    return yaml.safe_dump(found)


def test_one_word_and_the_credentials_are_all_that_switching_takes(talks, tmp_path):
    folder = write_folder(tmp_path / "one", policy=policy_of_all(talks), hosts=HOSTS)
    for talk in talks:
        talk.folder = folder
        (folder / "bot.toml").write_text(toml_of(talk.net))
        with talk:
            for conversation in CONVERSATIONS:
                transcript.Play(talk, conversation).run()
            talk.asks("!job 1", "#1 service restart nginx")  # done on the first network, and in the record of all
            record = [job.place.network for job in reversed(talk.jobs)]
    assert list(dict.fromkeys(record)) == ORDER
