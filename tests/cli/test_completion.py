"""What shells complete."""

import shutil
import subprocess

import pytest

from automation_bots.cli import completion
from automation_bots.cli import main as cli

TYPED = 'source "$1"; COMP_WORDS=(automation-bots $2); COMP_CWORD=$3; _shtab_automation_bots 2>/dev/null; '
SHOWN = 'printf "%s\\n" "${COMPREPLY[@]}"'


def written(capsys, shell):
    assert cli.main(["completion", shell]) == 0
    return capsys.readouterr().out


def completed(tmp_path, capsys, words, at):
    (tmp_path / "bash").write_text(written(capsys, "bash"))
    command = ["bash", "-c", TYPED + SHOWN, "bash", str(tmp_path / "bash"), words, str(at)]
    return subprocess.run(command, capture_output=True, text=True).stdout.split()


def test_bash_completes_commands_and_their_options(tmp_path, capsys):
    assert set(completed(tmp_path, capsys, "re", 1)) >= {"redact", "restore"}
    assert "run" not in completed(tmp_path, capsys, "re", 1)
    assert completed(tmp_path, capsys, "install --dry", 2) == ["--dry-run"]


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_every_shell_knows_every_command(capsys, shell):
    text = written(capsys, shell)
    for name in ("install", "uninstall", "backup", "completion", "doctor"):
        assert name in text


@pytest.mark.parametrize("shell", [name for name in ("bash", "zsh", "fish") if shutil.which(name)])
def test_what_is_written_is_read_by_the_shell(tmp_path, capsys, shell):
    (tmp_path / "text").write_text(written(capsys, shell))
    done = subprocess.run([shell, "-n", str(tmp_path / "text")], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
