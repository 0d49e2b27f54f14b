"""known_hosts, read and written as OpenSSH does."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import pytest

from automation_bots.drivers.ssh.known_hosts import HostKey, KnownHosts, distrust, trust
from automation_bots.errors import DriverError

A = HostKey("ssh-ed25519", b"a" * 51)
B = HostKey("ssh-ed25519", b"b" * 51)


def known(path: Path, *lines: str) -> KnownHosts:
    path.write_text("".join(f"{line}\n" for line in lines))
    return KnownHosts(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "known_hosts"


@pytest.mark.parametrize(
    ("names", "host", "port", "found"),
    [
        ("web1", "web1", 22, True),
        ("web1", "WEB1", 22, True),
        ("web1", "web1", 2222, False),
        ("[web1]:2222", "web1", 2222, True),
        ("[web1]:2222", "web1", 22, False),
        ("web1,10.0.0.1", "10.0.0.1", 22, True),
        ("web*", "web7", 22, True),
        ("web*,!web7", "web7", 22, False),
        ("[10.0.0.?]:2222", "10.0.0.5", 2222, True),
        ("web1", "web11", 22, False),
    ],
)
def test_names_match_as_in_openssh(path, names, host, port, found):
    hosts = known(path, A.line("x", 22).replace("x", names, 1))
    assert bool(hosts.keys(host, port)) is found


def test_hashed_names_are_found(path):
    known(path, A.line("web1", 22), B.line("web2", 2222))
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(path)], check=True, capture_output=True)
    assert "web" not in path.read_text()
    assert KnownHosts(path).keys("web2", 2222) == (B,)
    assert KnownHosts(path).keys("web2", 22) == ()


def test_comments_and_broken_lines_are_passed_over(path):
    hosts = known(path, "# web1", "", "web1", "web1 ssh-ed25519 ???", f"@cert-authority {A.line('web1', 22)}")
    assert hosts.keys("web1", 22) == ()


def test_a_revoked_key_is_marked(path):
    assert known(path, f"@revoked {A.line('web1', 22)}").keys("web1", 22)[0].revoked


def test_a_change_of_the_file_is_seen(path):
    hosts = known(path, A.line("web1", 22))
    assert hosts.keys("web1", 22) == (A,)
    trust(path, "web1", 22, [B.line("web1", 22)])
    assert hosts.keys("web1", 22) == (B,)
    path.unlink()
    assert hosts.keys("web1", 22) == ()


def test_trusting_keeps_the_other_hosts_of_a_line_and_the_rest_of_the_file(path):
    known(path, "# ours", A.line("web1", 22).replace("web1", "web1,web2"), f"@revoked {A.line('web1', 22)}")
    trust(path, "web1", 22, [B.line("web1", 22)])
    assert path.read_text().splitlines() == [
        "# ours",
        A.line("web2", 22),
        f"@revoked {A.line('web1', 22)}",
        B.line("web1", 22),
    ]


def test_trusting_twice_is_trusting_once(path):
    for _ in range(2):
        trust(path, "web1", 2222, [A.line("web1", 2222)])
    assert path.read_text() == A.line("web1", 2222) + "\n"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("line", ["nonsense", A.line("web2", 22), "web1 ssh-ed25519 ???"])
def test_only_lines_of_that_host_can_be_trusted(path, line):
    with pytest.raises(DriverError, match="no known_hosts line of web1"):
        trust(path, "web1", 22, [line])
    assert not path.exists()


def test_threads_share_one_reading(path):
    hosts = known(path, *(A.line(f"web{n}", 22) for n in range(2000)))
    found: list[int] = []
    threads = [threading.Thread(target=lambda n=n: found.append(len(hosts.keys(f"web{n}", 22)))) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 20


NOTE = "trusted by ana on 2026-03-02 12:00 UTC"


def test_a_comment_says_who_trusted_a_key(path):
    (key,) = known(path, A.line("web1", 22, NOTE)).keys("web1", 22)
    assert (key, key.comment) == (A, NOTE)
    assert key.told == f"ssh-ed25519 {A.fingerprint} ({NOTE})"
    assert known(path, A.line("web1", 22, "root@web1")).keys("web1", 22)[0].told == f"ssh-ed25519 {A.fingerprint}"


def test_a_comment_cannot_forge_a_second_line(path):
    assert "\n" not in A.line("web1", 22, f"trusted by a\n{B.line('web2', 22)}")


def test_whoever_trusted_a_key_first_stays_named(path):
    known(path, A.line("web1", 22, NOTE))
    trust(path, "web1", 22, [A.line("web1", 22, "trusted by joe"), B.line("web1", 22, "trusted by joe")])
    assert [key.comment for key in KnownHosts(path).keys("web1", 22)] == [NOTE, "trusted by joe"]


def test_distrusting_forgets_that_host_alone(path):
    others = [A.line("web2", 22), f"@revoked {A.line('web1', 22)}", A.line("x", 22).replace("x", "web*")]
    known(path, *others, A.line("web1", 22).replace("web1", "web1,web3"))
    assert distrust(path, "web1", 22) == (A,)
    assert path.read_text().splitlines() == [*others, A.line("web3", 22)]
    assert distrust(path, "web1", 22) == ()


def test_two_who_trust_at_once_lose_no_line(path):
    threads = [threading.Thread(target=trust, args=(path, f"web{n}", 22, [A.line(f"web{n}", 22)])) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(path.read_text().splitlines()) == 20
