"""A secret that others can read is no secret: the bot says so at the start and names what to type."""

import pytest

from automation_bots.app.bot import Bot
from automation_bots.errors import ConfigError
from automation_bots.secrets import file_modes
from automation_bots.secrets import references as secrets
from tests.support.chatbot import BOT_TOML, write_folder

pytestmark = pytest.mark.slow

SETTINGS = {
    "vault_password_file": '[inventory]\nvault_password_file = "secret"\n',
    "key_files": '[drivers.ssh]\nkey_files = ["secret"]\n',
    "environment": '[drivers.python.environment]\nAPP_TOKEN = "file:secret"\n',
    "chat": '[chat]\ntoken = "file:secret"\n',
    "ldap": '[vault]\ntoken = "file:secret"\n',
}


def folder(tmp_path, setting, mode):
    write_folder(tmp_path, toml=BOT_TOML + SETTINGS[setting], files={"secret": "t0p"})
    (tmp_path / "secret").chmod(mode)
    return Bot(tmp_path, {"AUTOMATION_BOTS_DATA": str(tmp_path / "data")}, read_only=True)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_secret_file_that_others_can_use_is_refused_with_what_to_type(tmp_path, setting, mode):
    with pytest.raises(ConfigError, match=rf"others can .*{mode:04o}.*Run: chmod 600 .*/secret") as refused:
        folder(tmp_path, setting, mode)
    assert refused.value.line


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_file_of_ones_own_is_fine(tmp_path, setting, mode):
    assert folder(tmp_path, setting, mode)


@pytest.mark.parametrize(("mode", "refused"), [(0o755, False), (0o700, False), (0o775, True), (0o757, True)])
def test_a_program_that_fetches_a_password_may_be_read_but_not_changed(tmp_path, mode, refused):
    (tmp_path / "fetch").touch()
    (tmp_path / "fetch").chmod(mode)
    assert ("chmod 700" in file_modes.open_to_others(tmp_path / "fetch", "the file")) is refused


def test_a_file_that_is_not_there_is_not_open(tmp_path):
    assert file_modes.open_to_others(tmp_path / "gone", "the file") == ""


def test_references_are_found_wherever_settings_hold_them():
    found = secrets.references({"a": {"b": "file:x", "c": "plain"}, "d": ["env:Y", 3]})
    assert list(found) == [(("a", "b"), "file:x"), (("d",), "env:Y")]


def test_secrets_of_the_environment_are_known_from_the_start(tmp_path):
    write_folder(tmp_path)
    environment = {"AUTOMATION_BOTS_DATA": str(tmp_path / "data"), "APP_TOKEN": "zebra-crossing", "HOME": "/home/ana"}
    clear = Bot(tmp_path, environment, read_only=True).redactor.text
    assert clear("zebra-crossing of /home/ana") == "‹redacted› of /home/ana"
