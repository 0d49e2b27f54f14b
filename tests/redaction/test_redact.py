import base64
import html
import json
import threading
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from automation_bots.redaction.patterns import MARK
from automation_bots.redaction.redactor import Redactor
from tests.support import harmless_real
from tests.support.bounds import examples
from tests.support.cost import in_yardsticks
from tests.support.harmless import outputs

HIDDEN = "S3cr-t.Pa55"

FOUND = """\
password=SECRET
db_password = SECRET
PASSWORD: SECRET
"password": "SECRET", "port": 22
{\\"password\\": \\"SECRET\\", \\"a\\": 1}
'api_key' => 'SECRET',
password: SECRET
  - client_secret: SECRET
export aws_secret_access_key=SECRET
Server=db;Uid=app;Pwd=SECRET;Port=1
GET /x?token=SECRET&page=2
GET /login?next=%2Fa%3Fpassword%3DSECRET%26page%3D2
body=user%3Dana%26password%3DSECRET
/x?json=%7B%22password%22%3A%22SECRET%22%2C%22a%22%3A1%7D
/x?json=%7B%22api_key%22%3A+%22SECRET%22%7D
/twice?u=token%253DSECRET%2526page%253D2
login with token: SECRET, then go on
(password=SECRET)
<password>SECRET</password>
Authorization: Bearer SECRET
authorization: Basic SECRET
curl -H 'Authorization: Token SECRET' https://example.com
postgres://app:SECRET@db.example.com:5432/app
mysqldump --password SECRET app
tool --db-password SECRET -v
sshpass -p SECRET ssh web1
ansible_become_pass: SECRET
pass = SECRET # of ana
CREATE USER app IDENTIFIED BY 'SECRET';
ConvertTo-SecureString "SECRET" -AsPlainText
snmp-server community SECRET RO 10
set snmp community SECRET authorization read-only
snmp-server host 10.0.0.1 version 2c SECRET
snmp-server user ana ops v3 auth sha SECRET priv aes 128 SECRET
Community name: SECRET
    community SECRET {
rocommunity SECRET 10.0.0.0/8
com2sec local 127.0.0.1 SECRET
enable secret SECRET
enable password 0 SECRET
username bob privilege 15 secret SECRET
 neighbor 10.0.0.1 password SECRET
 password SECRET
tacacs-server host 10.0.0.1 key SECRET
radius server x key SECRET
 key-string SECRET
 ip ospf authentication-key SECRET
 ip ospf message-digest-key 1 md5 SECRET
crypto isakmp key SECRET address 10.0.0.1
pre-shared-key local SECRET
set system login user vyos authentication plaintext-password SECRET
wpa-psk ascii 0 SECRET
""".splitlines()

FORMS = [
    ("username bob password 7 {}", "094F471A1A0A"),
    (" key 7 {}", "13061E010803"),
    ("enable secret 5 {}", "$1$mERr$hx5rVt7rPNoS4wqbXKX7m0"),
    ("enable secret 9 {}", "$9$nhEmQVczB7dqsO$X.HsgL6x1il0RxkOSSvyQYwucySCt7qFm4v7pqCxkKM"),
    ('secret "{}"; ## SECRET-DATA', "$9$JuUi.PfzFnCmf5F"),
    ("root:{}:19000:0:99999:7:::", "$6$rounds=5000$saltsalt$Gx0yTT.Lkx7/abcdefghijklmnop"),
    ("ana:{}:19000::", "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7"),
    ("key {} is active", "AKIAIOSFODNN7EXAMPLE"),
    ("got {} from the login", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"),
    ("remote uses {}", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
    ("sent bearer {} twice", "abcdef0123456789abcdef"),
    ("passphrase: {}", "correct horse battery staple"),
    ("  - passphrase: {} # of the old key", "correct horse#battery staple"),
    ('password = "{}" # old', "two words, and more"),
    ('"password": "{}", "x": 1', 'with \\" inside'),
]

HARMLESS = """\
    (root) NOPASSWD: /usr/bin/id, /usr/bin/cat
ana ALL=(ALL) NOPASSWD:ALL
  -W, --password           force password prompt
  -p, --password PASSWORD  of the new account
adduser --disabled-password ana
total 12
drwxr-xr-x  3 root root 4096 Jan  1 10:00 .
-rw-r--r--  1 root shadow 1043 Jan  1 10:00 passwd
-rw-------  1 ana  ana   411 Jan  1 10:00 secret.txt
Interface              IP-Address      OK? Method Status                Protocol
GigabitEthernet0/0     10.0.0.1        YES NVRAM  up                    up
service password-encryption
 ip address 10.0.0.1 255.255.255.0
● nginx.service - A high performance web server
     Loaded: loaded (/lib/systemd/system/nginx.service; enabled; preset: enabled)
     Active: active (running) since Mon 2024-01-01 10:00:00 UTC; 3 days ago
   Main PID: 812 (nginx)
● systemd-ask-password-console.path - Dispatch Password Requests to Console Directory Watch
Jan 01 10:00:00 web1 sshd[1]: Accepted password for ana from 10.0.0.9 port 51234 ssh2
Jan 01 10:00:00 web1 sshd[1]: Failed password for invalid user admin from 10.0.0.9
passwd:         files systemd
PWD=/home/ana
PasswordAuthentication no
Your password will expire in 5 days. The secret is to change it in time.
Enter password:
test pass: 12 of 12
$s = ConvertTo-SecureString $plain -AsPlainText
The token bucket refills every 5 s; a key 7 days old is fine
password: "{{ vault_db_password }}"
password: !vault |
password: null
password=${DB_PASSWORD}
/x?next=%2Fa%3Fpassword%3Dnull%26a%3D1
/x?q=%7B%22token%22%3A%22%7B%7B+vault+%7D%7D%22%7D
/reset-password%3Fstep=2
token_type: access
passwords: 5
BGP community: 65000:100
  Community: 65001:200 65001:300
community CUSTOMERS members 65000:1;
http://web1:8080/status?user=ana@example.com
ssh://ana@web1:22/
image registry.example.com:5000/app@sha256:abc
awk '{print $1$2, $5$6}'
snmp-server host 10.0.0.1 version 3 priv
-----BEGIN CERTIFICATE-----
MIIBhTCCASugAwIBAgIQIRi6zePL6mKjOipn+dNuaTAKBggqhkjOPQQDAjASMRAw
-----END CERTIFICATE-----
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
-----END PUBLIC KEY-----
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmD ana@web1
1a2b3c4d5e6f7a8b9c0d commit of yesterday
""".splitlines()


@pytest.mark.parametrize("line", FOUND)
def test_a_secret_is_taken_out_and_the_rest_of_the_line_stays(line):
    assert Redactor().text(line.replace("SECRET", HIDDEN)) == line.replace("SECRET", MARK)


@pytest.mark.parametrize(
    "begin", ["+ ", "-", "+   ", "- router bgp 65001 │ ", "+ router bgp 1 │ address-family ipv4 │ "]
)
@pytest.mark.parametrize("line", FOUND[FOUND.index("snmp-server community SECRET RO 10") :])
def test_a_secret_is_taken_out_of_a_difference_of_configurations(begin, line):
    line = line if begin in "+-" else line.strip()
    assert Redactor().text(begin + line.replace("SECRET", HIDDEN)) == begin + line.replace("SECRET", MARK)


@pytest.mark.parametrize(("line", "secret"), FORMS)
def test_the_forms_of_the_field_are_known(line, secret):
    shown = Redactor().text(line.format(secret))
    assert shown == line.format(MARK)


@pytest.mark.parametrize("line", HARMLESS)
def test_harmless_output_is_left_as_it_is(line):
    assert Redactor().text(line) == line


def test_harmless_output_stays_as_a_whole():
    assert Redactor().text("\n".join(HARMLESS)) == "\n".join(HARMLESS)


def test_fewer_than_one_in_a_thousand_harmless_outputs_is_touched():
    texts = set(outputs())
    touched = [text for text in texts if Redactor().text(text) != text]
    assert len(texts) == 1000
    assert not touched, f"{len(touched)} false alarms"


@pytest.mark.slow
def test_of_what_real_programs_print_next_to_nothing_is_touched():
    texts = set(harmless_real.outputs())
    touched = [text for text in texts if Redactor().text(text) != text]
    assert len(texts) >= 1000
    assert len(touched) * 200 < len(texts), touched  # what is left over are examples of secrets in their documents


@pytest.mark.parametrize("cut", ["…", "\n[output cut at 10 bytes]"])
@pytest.mark.parametrize("kept", range(4, 20))
def test_of_a_known_secret_that_a_cut_went_through_no_beginning_stays(cut, kept):
    text = f"said {'correct-horse-battery'[:kept]}{cut}"
    assert Redactor(["correct-horse-battery"]).text(text) == f"said {MARK}{cut}"


def test_words_before_a_cut_that_begin_no_secret_stay():
    assert Redactor(["correct-horse-battery"]).text("in the rectory…") == "in the rectory…"


def test_several_secrets_in_one_line_are_all_taken_out():
    assert Redactor().text("password=a1b2 token=c3d4, secret: e5f6") == f"password={MARK} token={MARK}, secret: {MARK}"


KEY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQ=="


@pytest.mark.parametrize("kind", ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"])
def test_only_the_inside_of_a_private_key_is_taken_out(kind):
    text = f"before\n-----BEGIN {kind}-----\n{{}}\n-----END {kind}-----\nafter"
    assert Redactor().text(text.format(KEY)) == text.format(MARK)


def test_a_private_key_on_one_line_is_taken_out():
    text = '{"k": "-----BEGIN PRIVATE KEY-----%s-----END PRIVATE KEY-----"}'
    assert Redactor().text(text % "\\nMIIEvQIBADANBgk\\n") == text % MARK


def test_of_a_private_key_whose_beginning_came_earlier_the_text_before_it_stays():
    shown = Redactor().text(f"user ana\n{KEY}\n-----END PRIVATE KEY-----\nafter")
    assert shown == f"user ana\n{MARK}\n-----END PRIVATE KEY-----\nafter"


def test_of_a_private_key_that_is_cut_off_the_text_after_it_stays():
    shown = Redactor().text(f"-----BEGIN PRIVATE KEY-----\n{KEY[:32]}\nPermission denied")
    assert shown == f"-----BEGIN PRIVATE KEY-----\n{MARK}\nPermission denied"


@pytest.mark.parametrize(
    "form",
    [
        str,
        json.dumps,
        lambda s: quote(s, safe=""),
        html.escape,
        lambda s: base64.b64encode(s.encode()).decode(),
        lambda s: base64.urlsafe_b64encode(s.encode()).decode().rstrip("="),
    ],
)
def test_a_known_secret_is_found_in_every_form(form):
    secret = 'kÖ"/<ü>?>~pa55word&x'
    assert form(secret) not in Redactor([secret]).text(f"said {form(secret)} and went")


def test_a_known_secret_is_found_with_small_hexadecimal_digits():
    assert Redactor(["a/b?c"]).text("x=a%2fb%3fc") == f"x={MARK}"


@pytest.mark.parametrize("before", ["", "a", "an", "ana"])
def test_a_known_secret_is_found_inside_longer_base64(before):
    whole = base64.b64encode(f"{before}correct horse".encode()).decode()
    shown = Redactor(["correct horse"]).text(whole).replace(MARK, "")
    assert len(shown) <= len(base64.b64encode(before.encode())) + 6


def test_where_two_known_secrets_overlap_nothing_of_either_stays():
    assert Redactor(["abcd", "bcdefghij"]).text("<abcdefghij>") == f"<{MARK}>"


def test_a_secret_of_several_lines_is_found_behind_a_prefix():
    assert KEY.splitlines()[0] not in Redactor([KEY]).text("\n".join(f"web1 | {line}" for line in KEY.splitlines()))


def test_values_too_short_to_be_secrets_are_ignored():
    assert Redactor(["", "    ", "up", " no "]).text("up    no") == "up    no"


WORDS = st.text(min_size=4, max_size=30).filter(lambda s: len(s.strip()) >= 4)


@pytest.mark.slow
@given(secrets=st.lists(WORDS, min_size=1, max_size=4), around=st.lists(st.text(max_size=20), min_size=2, max_size=5))
@example(secrets=["aaaa", "aaab"], around=["a", "a", "b"])
@settings(max_examples=examples(150))
def test_no_known_secret_survives(secrets, around):
    assume(not any(secret in MARK for secret in secrets))
    text = "".join(part + secrets[i % len(secrets)] for i, part in enumerate(around))
    shown = Redactor(secrets).text(text)
    assert not any(secret in shown for secret in secrets)


@given(st.lists(st.sampled_from([*FOUND, *HARMLESS, 'password="', "secret:", "x1", "\\'", "$9$"]), max_size=12))
@settings(max_examples=examples(100))
def test_redacting_twice_is_redacting_once(lines):
    once = Redactor().text("\n".join(lines))
    assert Redactor().text(once) == once


HOSTILE = [
    "a", " ", "\n", "\\", '"', "'", "-", "$", "password", "password ", "password=", "password= ", 'password="',
    "password:\\", "password=a,a", "password=a,", "secret 7 a", "eyJ", "eyJa", "eyJaaaaaaaaaa.", "://", "://a:",
    "://a:a@", "$1$", "$9$", "$6$a", "--a-a-a-", "--password", "xoxb-", "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nA", "key 7 ", "tacacs ", "tacacs server a ", "snmp-server host a ",
    "snmp-server community ", "user a role a ", "pre-shared-key address a ", "<password>", "Authorization: ", "bearer ",
    "priv aes ", " password a ", "\npassword: a", "\n password ", "AKIA", "auth key", "api_key:", "password: a ", "a #",
    "pass%3D", "pass%3Da%26", "token%3D%25", "%25", "token+", "token%3d+", "-----END PRIVATE KEY-----",
    "AAAAAAAAAAAAAAAA\n",    "AAAAAAAAAAAAAAAA\n-----END PRIVATE KEY-----\n", "\n-----END PRIVATE KEY-----",
    "\\n", '\\n"', ', "', "''", "%41", "a%2", "QUFB", "%26pass%3Dabcdefgh%26", "A" * 60 + "\n",
    "│", "+ ", "\n- a│", "+ a │ ", "a │ neighbor a password ", "\n+ a │ password ",
    "pass ", "identified with ", "ConvertTo-SecureString ", "\npassword: a #",
]  # fmt: skip


MEGABYTE = ("\n".join(HARMLESS) * 400)[:1_000_000]
TOO_MUCH = 15  # yardsticks; of what grows with the square of its length it would be hundreds
LENGTH = 40_000


@pytest.mark.slow
@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_costs_about_as_much_as_any_other(piece):
    text = "password key token " + piece * (LENGTH // len(piece))
    assert in_yardsticks(lambda: Redactor().text(text), TOO_MUCH) < TOO_MUCH


@pytest.mark.slow
def test_many_known_secrets_cost_little_more():
    redactor = Redactor(f"secret-number-{n}/{n * 7919}" for n in range(200))
    assert in_yardsticks(lambda: redactor.text(MEGABYTE), 150) < 150


def test_secrets_may_be_added_while_others_redact():
    redactor = Redactor()
    threads = [threading.Thread(target=redactor.add, args=([f"value-{n}-{i}" for i in range(20)],)) for n in range(8)]
    [thread.start() for thread in threads]
    [redactor.text("value-1-1 " * 50) for _ in range(20)]
    [thread.join() for thread in threads]
    assert redactor.text(" ".join(f"value-{n}-19" for n in range(8))).count(MARK) == 8
