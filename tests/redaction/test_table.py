"""The table of forms: each row finds what it says, the documents show it, and the own row of an admin counts too."""

import io
from pathlib import Path

import pytest

from automation_bots.cli.redact import shown
from automation_bots.config import settings
from automation_bots.errors import ConfigError
from automation_bots.redaction.forms import BadFormError, Form
from automation_bots.redaction.lines import Line, marked
from automation_bots.redaction.mark import MARK
from automation_bots.redaction.redactor import Redactor
from automation_bots.redaction.table import TABLE, documented
from tests.redaction.forms_of_vendors import FORMS, surviving

MADE = "hunter2Zq"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "security.md"


@pytest.mark.parametrize("form", TABLE, ids=lambda form: form.form[:60])
def test_a_row_finds_its_example_by_itself(form):
    line = Line.of(form.example)
    assert MARK in marked(line.text, form.rule.spans(line))
    assert MADE not in marked(line.text, form.rule.spans(line))


def test_no_example_of_the_table_survives_all_rules_together():
    texts = [Redactor().text(form.example) for form in TABLE]
    assert [text for text in texts if MARK not in text or MADE in text] == []


def test_the_documents_show_the_table():
    assert documented() in DOCUMENT.read_text("utf-8")


# value: no line's mark may stand on a keyword while the secret behind it stays
MISPLACED = [
    "ntp authentication-key 1 md5 {}",
    "ntp authentication-key 1 cmac-aes-128 {}",
    "snmp-server host h version v2c community {}",
    "radius-server host h key ciphertext AQBap{}",
    "snmp-server host inside 192.0.2.1 community {} version 2c",
    "ip ospf message-digest-key 1 md5 7 {}",
    "radius server key auth x encrypted {}",
    "key config-key password-encrypt {}",
    "set session-key outbound esp 256 authenticator {}",
    "mpls ldp password option 1 for ACL {}",
    "crypto isakmp key {} address 192.0.2.1 255.255.255.0",
    "net use Z: \\\\srv\\share /user:bob {}",
    "create account encrypt joe {}",
    "service shared-secret secret client {}",
    "cli password switch read-write {}",
    "snmp community community-name {} source default security-name x",
    "enable password {} level 15",
    "config mgmtuser password admin {}",
    "reg add HKLM /v DefaultPassword /t REG_SZ /d {} /f",
    "config mesh security psk provisioning key {}",
    "(echo {}; echo {}) | smbpasswd -s -a joe",
    "onu 1 pri wifi_ssid 1 auth_mode wpa2psk/wpa3psk encrypt_type aes shared_key {} rekey_interval 0",
    "username admin_control enable admin {} user_control enable user {}",
    "snmp-server community ipaddr 192.0.2.1 {}",
    "echo {} | /usr/local/bin/sudo -S su - x",
    "snmp-server user joe network-admin auth md5 {} priv {} localizedkey",
    "neighbor PEERS password {}",
    "add PSK mykey Type=ASCII PSKAscii={}",
    "config ap mgmtuser add username admin password {} secret x1y2z3w4 all",
]


@pytest.mark.parametrize("secret", ["Zork4711x", "correcthorse", "p@ss!w%rd", "MyPassword1", "psk1"])
@pytest.mark.parametrize("line", MISPLACED)
def test_no_mark_stands_on_a_keyword_while_the_secret_behind_it_stays(line, secret):
    shown_line = Redactor().text(line.replace("{}", secret))
    assert MARK in shown_line
    assert secret not in shown_line


def test_a_form_of_an_admin_counts_like_a_row_of_the_table():
    assert Redactor(forms=["acme vault open <secret>"]).text("acme vault open sesame") == f"acme vault open {MARK}"


@pytest.mark.parametrize("form", ["acme vault", "acme <sekret>", "acme (a|b <secret>", "acme ] <secret>", "<secret>"])
def test_a_form_that_cannot_be_read_is_refused_with_the_form(form):
    with pytest.raises(BadFormError) as refused:
        _ = Form("own", "", form).rule
    assert form in str(refused.value)


def test_a_form_of_bot_toml_that_cannot_be_read_is_refused_with_file_and_line(tmp_path):
    (tmp_path / "bot.toml").write_text('backend = "Text"\n[redaction]\nforms = ["acme vault"]\n')
    with pytest.raises(ConfigError, match=r"no <secret> in the form 'acme vault'"):
        settings.load(tmp_path)


def test_an_admin_sees_what_would_be_taken_out_and_by_which_row():
    said = "\n".join(shown(Redactor(), "hello\nsnmp-server host 192.0.2.9 version 2c sesame\n"))
    assert f"2: snmp-server host 192.0.2.9 version 2c {MARK}" in said
    assert "by SNMP community: snmp-server host <word>" in said
    assert said.endswith("1 lines with secrets.")


def test_a_text_without_secrets_is_said_to_have_none():
    assert list(shown(Redactor(), io.StringIO("up 3 days\n").read())) == ["Nothing that looks like a secret."]


def test_of_the_forms_in_vendors_documents_at_most_one_in_twenty_five_survives():
    left = list(surviving(Redactor()))
    assert len(left) * 25 <= len(FORMS), left


NEAR = [
    (" authentication pass {}", "Zork4711x"),
    ("fabric forwarding key {}", "hunter2Zq"),
    ("snmp-server community {} RO", "public"),
    ("dot1x username joe password 0 {}", "DOT1X PASSW0RD"),
    ('snmp-server community "{}" rw', "public"),
    ('action 1 cli command "username joe secret {}"', "anything"),
    ("set snmp community {} clients 10.0.0.0/8", "anything"),
]


@pytest.mark.parametrize(("line", "secret"), NEAR)
def test_a_made_up_word_behind_a_word_of_authentication_is_a_secret(line, secret):
    assert Redactor().text(line.format(secret)) == line.format(MARK)


@pytest.mark.parametrize(
    "line",
    [
        "b = bypass of AP1x timeout;    c = CERT-based RAP",
        "Gi1/0/10     c89a.12cd.3b74 dot1x   DATA    Auth      0A0A1DFE00000FB3000101FF",
        'interface=wg1 public-key="dcKiJ0TpLjtSWZh3G0ILJ9cL56fTIfHBAsZsXdDIlFM="',
        'keys: [40, 19], "sha256": "faebfafebfaebfafebfaebfafe12"',
        "key id 0A1B2C3D4E5F60718293, algorithm ssh-rsa",
        "authentication list VTY1 for GigabitEthernet1/0/1",
    ],
)
def test_names_and_numbers_near_such_words_are_none(line):
    assert Redactor().text(line) == line


NO_SECRETS = [
    "set system login password minimum-length 8",
    "set system login password change-type character-sets",
    "userpassphrase min-length 8 max-length 20",
    "set forwarding-options hash-key family inet layer-3",
    "cable modulation-profile 1 a-short 6 76 16 22 16qam scrambler 152 no-diff 64 shortened qpsk0 1 2",
    "crypto pki token default removal timeout 60",
    "snmp-server host inside 192.0.2.1 poll version 3 joe",
    "ip filter 1 pass 192.0.2.0/24 * tcp",
    "no enable password level 4",
]


@pytest.mark.parametrize("line", NO_SECRETS)
def test_what_a_configuration_says_of_secrets_is_none(line):
    assert Redactor().text(line) == line


def test_a_secret_that_one_line_names_goes_wherever_else_it_stands():
    text = "username joe password Zork4711x\nlogged in with Zork4711x\n"
    assert Redactor().text(text) == f"username joe password {MARK}\nlogged in with {MARK}\n"


OUR_OWN = [
    "could not read vault password file /srv/bot/vault-pass",
    "chat: the environment has no MATTERMOST_TOKEN; export it before the start",
    "password of web1: not in the inventory",
]


@pytest.mark.parametrize("sentence", OUR_OWN)
def test_a_sentence_of_ours_that_names_a_secret_holds_none(sentence):
    assert Redactor().ours(sentence) == sentence


@pytest.mark.parametrize("secret", ["a-known-one", "ghp_Zq7xKdZq7xKdZq7xKdZq", "$6$a.b$Zq7xKdZq7xKdZq7"])
def test_what_is_a_secret_by_itself_is_none_of_our_words(secret):
    said = Redactor(["a-known-one"]).ours(f"https://joe:hunter2Zq@h cannot be read: {secret} is no address")
    assert said == f"https://joe:{MARK}@h cannot be read: {MARK} is no address"
