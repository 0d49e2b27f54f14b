"""What is in the Debian package and in the container, beside the wheels: neither less nor more than a bot needs."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from automation_bots.cli.install import parts
from tests.support.program import ROOT

pytestmark = pytest.mark.works


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The package without wheels, unpacked."""
    folder = tmp_path_factory.mktemp("deb")
    subprocess.run([ROOT / "tools/deb", "--without-wheels", folder], check=True, capture_output=True)
    (file,) = folder.glob("*.deb")
    subprocess.run(["dpkg-deb", "-R", file, folder / "tree"], check=True)
    return folder / "tree"


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg-deb")
def test_the_package_has_what_an_installation_has_and_nothing_of_this_machine(package):
    found = {f"/{path.relative_to(package)}" for path in package.rglob("*") if path.is_file()}
    program = {part.path for part in parts.program() if not part.is_folder}
    assert program
    assert program - found == set()
    assert {path for path in found - program if path.startswith("/opt/")} == set()


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="needs dpkg-deb")
def test_the_scripts_of_the_package_are_ones_and_its_command_is_there(package):
    for name in ("postinst", "prerm"):
        assert subprocess.run(["sh", "-n", package / "DEBIAN" / name]).returncode == 0
    assert (package / "usr/bin/automation-bots").readlink() == Path("/opt/automation-bots/deploy/automation-bots")


def test_the_container_takes_in_nothing_but_the_program():
    wanted = {
        line.lstrip("!")
        for line in (ROOT / "deploy/Containerfile.dockerignore").read_text().splitlines()
        if line[0] == "!"
    }
    copied = [
        line.split()[1:-1] for line in (ROOT / "deploy/Containerfile").read_text().splitlines() if line[:5] == "COPY "
    ]
    taken = {name for names in copied for name in names if not name.startswith(("--", "/"))}
    assert taken == wanted
    assert all((ROOT / name).exists() for name in taken)


def test_the_container_has_no_rights_and_writes_nowhere_but_to_its_data():
    service = yaml.safe_load((ROOT / "deploy/compose.yml").read_text())["services"]["netbot"]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert [one for one in service["volumes"] if not one.endswith(":ro")] == ["netbot:/data"]
