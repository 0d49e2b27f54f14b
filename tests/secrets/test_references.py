"""References to secrets are resolved, and what is missing is named."""

import subprocess
import sys
from pathlib import Path

import pytest

from automation_bots.secrets import references as secrets


def test_the_environment_gives_secrets(tmp_path):
    assert secrets.resolve("env:TOKEN", {"TOKEN": "t0p"}, tmp_path) == "t0p"


def test_systemd_gives_credentials(tmp_path):
    (tmp_path / "token").write_text("t0p\n")
    (tmp_path / "token").chmod(0o600)
    assert secrets.resolve("credential:token", {"CREDENTIALS_DIRECTORY": str(tmp_path)}, tmp_path) == "t0p"


def test_a_file_that_others_can_read_is_refused(tmp_path):
    (tmp_path / "token").write_text("t0p")
    (tmp_path / "token").chmod(0o644)
    with pytest.raises(LookupError, match="chmod 600"):
        secrets.resolve("file:token", {}, tmp_path)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("env:NONE", "has no NONE"),
        ("credential:x", "LoadCredential=x"),
        ("file:none", "cannot be read"),
        ("vault:x", "vault.yml"),
    ],
)
def test_what_is_missing_is_named(tmp_path, reference, reason):
    with pytest.raises(LookupError, match=reason):
        secrets.resolve(reference, {}, tmp_path)


@pytest.mark.slow
def test_ansible_vault_gives_secrets(tmp_path):
    (tmp_path / "password").write_text("open sesame")
    (tmp_path / "vault.yml").write_text("token: t0p\n")
    program = str(Path(sys.executable).with_name("ansible-vault"))
    subprocess.run(
        [program, "encrypt", "--vault-password-file", tmp_path / "password", tmp_path / "vault.yml"], check=True
    )
    assert secrets.resolve("vault:token", {}, tmp_path, tmp_path / "password") == "t0p"
    with pytest.raises(LookupError, match="has no other"):
        secrets.resolve("vault:other", {}, tmp_path, tmp_path / "password")


@pytest.mark.parametrize(
    ("key", "secret"), [("token", True), ("app_token", True), ("password", True), ("server", False)]
)
def test_names_of_settings_that_must_be_references(key, secret):
    assert secrets.names_a_secret(key) is secret
