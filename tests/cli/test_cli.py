"""The command `automation-bots`: starter folders, checks that name file and line, trust, audit, and start-up errors."""

import io
import re
import sqlite3

import pytest
from sqlalchemy import create_engine

from automation_bots.app.bot import Bot
from automation_bots.cli import main as cli
from automation_bots.errors import ConfigError
from automation_bots.store import AuditKind, Store, inspection, migrations
from tests.support.program import automation_bots, write_bot

pytestmark = [pytest.mark.slow, pytest.mark.works]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command in a folder of its own; gives the exit code and what was printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOMATION_BOTS_DATA", str(tmp_path / "data"))

    def run(*words):
        code = cli.main([str(word) for word in words])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return code, printed.out + printed.err

    return run


@pytest.fixture
def folder(tmp_path):
    return write_bot(tmp_path / "checked")


# -- new bot, check


def test_a_new_bot_is_a_folder_that_checks_well_and_answers(run, tmp_path):
    code, said = run("new", "bot", "mine")
    assert code == 0 and "automation-bots check bots/mine" in said
    code, said = run("check", "bots/mine")
    assert (code, said.splitlines()[-1]) == (0, "all is well")
    typed = "!greet ana\n!uptime on here\n!can reboot on here\n"
    ended = automation_bots("run", tmp_path / "bots/mine", data=tmp_path / "data", typed=typed)
    assert "Hello, ana!" in ended.stdout and "uptime on here done" in ended.stdout and "Yes: reboot" in ended.stdout


@pytest.mark.parametrize(
    ("name", "said"), [("../x", "letters"), ("-x", "letters"), ("", "letters"), ("a b", "letters")]
)
def test_a_bots_name_is_one_plain_word(run, tmp_path, name, said):
    code, printed = run("new", "bot", "--", name)
    assert code == 1 and said in printed
    assert not (tmp_path / "bots").exists()


def test_a_folder_that_is_there_stays_as_it_is(run, tmp_path):
    run("new", "bot", "mine")
    (tmp_path / "bots/mine/policy.yml").write_text("mine")
    code, printed = run("new", "bot", "mine")
    assert code == 1 and "is there already" in printed
    assert (tmp_path / "bots/mine/policy.yml").read_text() == "mine"


POLICY = "people:\n  ana: {text: '@ana', groups: [admins]}\nrules:\n  - {name: all, who: admins, may: [everything]}\n"
VERB = "help: Look\nlinux: {run: [uptime]}\n"
BOOK = "# bot:\n#   help: Look\n#   risk: read\n- hosts: all\n  tasks: []\n"
WRONG = [  # file, its content, the line that must be named (0: the file is enough), what must be said
    ("bot.toml", 'backend = "Text\n', 1, "is no TOML"),
    ("bot.toml", 'backend = "Text"\n\ncolour = "red"\n', 3, "not known.*known here: aliases, approvals"),
    ("bot.toml", 'backend = "Text"\n[limits]\njobs = 0\n', 3, "limits.jobs: .*greater"),
    ("bot.toml", '[limits]\n[limits.rates]\nperson = "fast"\n', 2, "is no rate; write 10/min"),
    ("bot.toml", "[drivers.ssh]\nparalel = 3\n", 2, "known here: .*parallel"),
    ("bot.toml", 'backend = "X"\n[chat]\ntoken = "xoxb-123"\n', 3, 'must not stand here in clear.*"env:NAME"'),
    ("bot.toml", '[inventory]\nsources = ["nowhere"]\n', 0, "nowhere: there is no such inventory"),
    ("policy.yml", "people: [\n", 2, "flow|expected"),
    ("policy.yml", POLICY + "    colour: red\n", 5, "."),
    ("policy.yml", POLICY.replace("may:", "mya:"), 4, "mya|may"),
    ("policy.yml", POLICY.replace("who: admins", "who: admns"), 0, "rule \"all\": nobody is or belongs to 'admns'"),
    ("policy.yml", POLICY.replace("everything]", "everything], on: nowhere"), 0, "on: 'nowhere' means no device"),
    ("policy.yml", POLICY.replace("everything]", "reads], when: someday"), 4, "someday"),
    ("policy.yml", POLICY.replace("everything]", "reads], needs: luck"), 4, "approval by <group>"),
    ("policy-tests.yml", "- {who: admin, what: uptime on here, expect: deny}\n", 1, "expected deny, got allow"),
    ("policy-tests.yml", "- {who: admin, what: uptime on here}\n", 1, "a case is {who, what, expect}"),
    ("policy-tests.yml", "- {who: admin, what: uptime on here, expect: yes}\n", 1, "expect is one of allow, deny"),
    ("policy-tests.yml", "- {who: a, what: uptime on here, expect: deny, wehn: now}\n", 1, "where, when and proved"),
    ("policy-tests.yml", "- {who: admin, what: uptime on here, expect: allow, when: later}\n", 1, "later"),
    ("policy-tests.yml", "- {who: admin, what: nothing, expect: deny}\n", 1, "no operation 'nothing'"),
    ("policy-tests.yml", "- {who: admin, what: uptime, expect: deny}\n", 1, "not complete"),
    ("policy-tests.yml", "- {who: admin, what: uptime on mars, expect: deny}\n", 1, "mars"),
    ("policy-tests.yml", "- just words\n", 1, "who, what"),
    ("policy-tests.yml", "who: admin\n", 0, "must be a list"),
    ("inventory/hosts.yml", "all:\n  hosts: [\n", 0, "inventory"),
    ("inventory/hosts.yml", "all:\n  hostz: {web1: {}}\n", 0, "inventory|hostz"),
    ("playbooks/verbs/look.yml", VERB.replace("linux", "linux: {run: [a]}\nlinux"), 3, "twice"),
    ("playbooks/verbs/look.yml", VERB.replace("[uptime]", "{a: b}"), 2, "list|choice"),
    ("playbooks/verbs/look.yml", VERB + "risk: maybe\n", 3, "read or change|risk"),
    ("playbooks/verbs/look.yml", VERB.replace("uptime", '"{name}"'), 2, "name"),
    ("playbooks/book.yml", BOOK.replace("read", "maybe"), 3, "read or change"),
    ("playbooks/book.yml", BOOK.replace("help", "hepl"), 2, "unknown key 'hepl'"),
    ("playbooks/book.yml", "- hosts: all\n- just: words\n", 2, "not a playbook"),
    ("playbooks/book.yml", "- import_playbook: gone.yml\n", 1, "gone.yml, which is not there"),
    ("plugins/calc.py", "def calc(:\n", 1, "."),
    ("plugins/calc.py", "def other(): ...\n", 0, "calc"),
    ("plugins/calc.py", 'def calc(*a):\n    """Do."""\n', 1, "cannot be typed in chat"),
    ("plugins/calc.py", 'def calc(a: complex):\n    """Do."""\n', 1, "complex"),
    ("plugins/job.py", 'def job():\n    """Do."""\n', 0, "a command of the bot itself"),
    ("plugins/uptime.py", 'def uptime():\n    """Do."""\n', 0, "comes from .*uptime.yml already"),
]


@pytest.mark.parametrize(("file", "content", "line", "said"), WRONG)
def test_a_wrong_file_is_named_with_its_line_and_what_is_wrong(run, folder, file, content, line, said):
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(content)
    code, printed = run("check", folder)
    wrong = [found for found in printed.splitlines() if found.startswith("WRONG")]
    assert code == 1 and wrong, printed
    shown = next((text for text in wrong if re.search(said, text)), None)
    assert shown, wrong
    if line:
        assert f"{folder / file}, line {line}: " in shown, wrong


@pytest.mark.parametrize("file", sorted({file for file, *_ in WRONG if file != "policy-tests.yml"}))
def test_a_file_that_is_no_text_is_named(run, folder, file):
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(b"\xff\xfe\x00 \x80")
    code, printed = run("check", folder)
    assert code == 1
    assert str(folder / file) in printed or "inventory" in printed


def test_what_is_only_strange_is_a_note(run, folder):
    doubled = "  - {name: again, who: everyone, may: [reads]}\n  - {name: typo, who: joe, may: [uptme]}\n"
    (folder / "policy.yml").write_text((folder / "policy.yml").read_text() + doubled)
    code, printed = run("policy", "check", folder)
    assert code == 0
    assert "adds nothing to rule" in printed and "'uptme' is no operation of this bot" in printed
    assert "write down what the policy must allow and refuse" in printed


def test_a_typo_in_what_a_rule_denies_is_wrong(run, folder):
    denied = "  - {name: never, who: everyone, deny: [reboo, plugin_activate, review, reboot]}\n"
    (folder / "policy.yml").write_text((folder / "policy.yml").read_text() + denied)
    code, printed = run("policy", "check", folder)
    assert code == 1
    assert [line for line in printed.splitlines() if line.startswith("WRONG")] == [
        "WRONG rule \"never\" denies nothing by this: 'reboo' is no operation of this bot, nor a command of its"
        " plugins. Did you mean reboot?"
    ]


@pytest.mark.parametrize(("backend", "named"), [("Slack", 3), ("Text", 0)])
def test_a_room_that_the_network_only_knows_by_its_id_is_named(run, folder, backend, named):
    (folder / "bot.toml").write_text(
        f'name = "n"\nbackend = "{backend}"\n[places]\nops = "C024BE7LH"\n[approvals]\nroom = "#leads"\n'
    )
    rules = (
        '  - {name: here, who: everyone, may: [reads], where: ["#ops", dm, slack, C024BE7LI]}\n'
        '  - {name: there, who: everyone, may: [reads], where: ["#netops"]}\n'
        '  - {name: asked, who: everyone, may: [changes], approval: {by: joe, room: "#gone"}}\n'
    )
    (folder / "policy.yml").write_text((folder / "policy.yml").read_text() + rules)
    _, printed = run("check", folder)
    found = [line for line in printed.splitlines() if "is looked up by its name at each start" in line]
    assert len(found) == named, printed
    assert not named or any('[places] netops = "<the id of the room>"' in line for line in found)


def test_two_names_of_one_device_are_a_note(run, folder):
    (folder / "inventory/hosts.yml").write_text(
        "all: {hosts: {here: {}, db1: {ansible_host: 192.0.2.5}, sneaky: {ansible_host: 192.0.2.5}}}\n"
    )
    _, printed = run("check", folder)
    note = "NOTE  inventory: db1, sneaky are one device (192.0.2.5:22): the strictest of its names decides"
    assert note in printed.splitlines()


def test_policy_tests_know_place_and_time(run, folder):
    rule = '  - {name: night, who: joe, may: [reboot], where: ["#ops"], when: "Mon-Fri 22:00-23:00"}\n'
    (folder / "policy.yml").write_text((folder / "policy.yml").read_text() + rule)
    case = '- {{who: joe, what: reboot on here, where: "{}", when: "2026-03-02 {}+00:00", expect: {}}}\n'
    table = (("#ops", "22:30", "allow"), ("#ops", "21:30", "deny"), ("dm", "22:30", "deny"), ("#dev", "22:30", "allow"))
    (folder / "policy-tests.yml").write_text("".join(case.format(*row) for row in table))
    code, printed = run("policy", "check", folder)
    assert code == 1
    assert [line for line in printed.splitlines() if line.startswith("WRONG")] == [
        f"WRONG {folder}/policy-tests.yml, line 4: joe 'reboot on here': expected allow, got deny."
        ' No: reboot on here is allowed only in #ops (rule "night").'
    ]


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("bot.toml", "colour = 1\n", "bot.toml, line 1: colour: this key is not known"),
        (
            "bot.toml",
            'backend = "Slck"\n',
            "line 1: backend: no such chat network 'Slck' here; there are .*Text",
        ),
        ("bot.toml", '[chat]\ntoken = "env:NO_SUCH_NAME"\n', "bot.toml, line 2: chat.token: .* has no NO_SUCH_NAME"),
        ("bot.toml", "[drivers.python.environment]\nA = 'env:NO_A'\n", "line 2: drivers.python.environment.A: .*NO_A"),
        ("policy.yml", "people: {}\n", "policy.yml, line 1: rules"),
        ("inventory/hosts.yml", "all: [", "inventory"),
    ],
)
def test_a_bot_with_a_wrong_file_does_not_start_and_says_why(folder, tmp_path, file, content, said):
    (folder / file).write_text(content)
    ended = automation_bots("run", folder, data=tmp_path / "data", typed="!whoami\n")
    assert ended.returncode == 1
    assert re.search(said, ended.stderr + ended.stdout), ended
    assert "Traceback" not in ended.stderr + ended.stdout


@pytest.mark.parametrize("words", [["run"], ["check"], ["policy", "check"], ["audit", "verify"]])
def test_a_folder_that_is_not_there_is_one_sentence(run, tmp_path, words):
    code, said = run(*words, tmp_path / "nowhere")
    assert code == 1 and "nowhere/bot.toml: cannot be read" in said and "new-bot" in said


# -- secrets


SECRET = '[chat]\ntoken = "{}"\nserver = "chat.example"\n'


def chat_token(folder, reference, **environment):
    (folder / "bot.toml").write_text(SECRET.format(reference))
    data = {"AUTOMATION_BOTS_DATA": str(folder / "data")}
    return Bot(folder, {**data, **environment}, read_only=True).bot_folder.chat_identity()["token"]


def test_references_to_secrets_are_resolved(folder, tmp_path):
    (folder / "token").write_text("from-file\n")
    (folder / "token").chmod(0o600)
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "chat").write_text("from-systemd")
    (credentials / "chat").chmod(0o400)
    assert chat_token(folder, "env:CHAT_TOKEN", CHAT_TOKEN="from-environment") == "from-environment"
    assert chat_token(folder, "file:token") == "from-file"
    assert chat_token(folder, f"file:{folder}/token") == "from-file"
    assert chat_token(folder, "credential:chat", CREDENTIALS_DIRECTORY=str(credentials)) == "from-systemd"


def test_a_secret_that_others_can_read_is_refused(folder):
    (folder / "token").write_text("secret")
    (folder / "token").chmod(0o644)
    with pytest.raises(ConfigError, match="others can read the secret file"):
        chat_token(folder, "file:token")


@pytest.mark.parametrize("key", ["password", "slack_token", "app_token", "client_secret", "api_key", "apikey", "TOKEN"])
def test_a_secret_in_clear_is_refused_and_not_repeated(run, folder, key):
    (folder / "bot.toml").write_text(f'[chat]\n{key} = "hunter2hunter2"\n')
    code, said = run("check", folder)
    assert code == 1 and f"{folder}/bot.toml, line 2: chat: {key} must not stand here in clear" in said
    assert "hunter2" not in said


# -- trust


def test_trust_shows_the_keys_and_writes_them_only_after_a_yes(run, folder, sshd, monkeypatch):
    (folder / "inventory/hosts.yml").write_text(
        f"all: {{hosts: {{s1: {{ansible_host: 127.77.0.1, ansible_port: {sshd.port}, ansible_user: {sshd.user},"
        f" ansible_ssh_private_key_file: {sshd.key_file}}}}}}}\n"
    )
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    code, said = run("trust", folder, "s1")
    assert code == 1 and sshd.fingerprint() in said and "Nothing was changed" in said
    assert not (folder / "known_hosts").exists()
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert run("trust", folder, "s1")[0] == 0
    before = (folder / "known_hosts").read_text()
    assert run("trust", folder, "s1", "--yes")[0] == 0
    assert (folder / "known_hosts").read_text() == before, "trusting twice changes nothing"
    ended = automation_bots("run", folder, data=folder / "data", typed="!uptime on s1\n")
    assert "1 ok" in ended.stdout


def test_trust_without_an_answer_changes_nothing(run, folder, sshd, monkeypatch):
    (folder / "inventory/hosts.yml").write_text(
        f"all: {{hosts: {{s1: {{ansible_host: 127.77.0.1, ansible_port: {sshd.port}}}}}}}\n"
    )
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    code, said = run("trust", folder, "s1")
    assert code == 1 and "Nothing was changed" in said


def test_trust_says_when_there_is_no_such_device_or_nobody_answers(run, folder):
    (folder / "inventory/hosts.yml").write_text("all: {hosts: {s1: {ansible_host: 127.0.0.1, ansible_port: 1}}}\n")
    code, said = run("trust", folder, "s2")
    assert code == 1 and "'s2'" in said
    code, said = run("trust", folder, "s1")
    assert code == 1 and "127.0.0.1" in said


# -- audit


def test_the_record_is_verified_and_tampering_is_named(run, folder, tmp_path):
    automation_bots("run", folder, data=tmp_path / "data", typed="!uptime on here\n!nonsense\n")
    code, said = run("audit", "verify", folder)
    assert code == 0 and re.search(r"The record is whole: \d+ entries", said)
    with sqlite3.connect(tmp_path / "data/checked/bot.db") as connection:
        connection.execute("DROP TRIGGER IF EXISTS audit_no_update")
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE audit SET person = 'somebody' WHERE seq = 3")
    connection.close()
    code, said = run("audit", "verify", folder)
    assert code == 1 and re.search(r"\b3\b", said)


def test_a_record_that_was_never_begun_says_so(run, folder):
    code, said = run("audit", "verify", folder)
    assert code == 1 and "Start the bot once" in said


def test_the_record_is_verified_beside_a_running_bot(run, folder, tmp_path):
    data = tmp_path / "data" / "checked"
    data.mkdir(mode=0o700, parents=True)
    store = Store.open(data)
    store.record(AuditKind.OPENED)
    assert run("audit", "verify", folder)[0] == 0
    store.close()


# -- db


def test_the_record_is_backed_up_and_restored_by_command(run, folder, tmp_path):
    store = Store.open(tmp_path / "data/checked")
    store.record(AuditKind.OPENED)
    store.close()
    assert "1 audit entries" in run("db", "backup", folder, tmp_path / "copy.db")[1]
    assert "nothing was overwritten" in run("db", "restore", folder, tmp_path / "copy.db")[1]
    (tmp_path / "data/checked").rename(tmp_path / "old")
    assert run("db", "restore", folder, tmp_path / "copy.db")[0] == 0
    assert "audit                     2" in run("db", "status", folder)[1]  # and that it was restored
    assert run("db", "migrate", folder) == (0, "The tables are up to date.\n")


def test_tables_of_an_old_version_are_brought_up_to_date_by_command(run, folder, tmp_path):
    Store.open(tmp_path / "data/checked").close()
    file = tmp_path / "data/checked/bot.db"
    file.unlink()
    file.touch(0o600)
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        migrations.upgrade(connection, "0001")
    engine.dispose()
    assert run("db", "migrate", folder) == (0, "The tables are up to date.\n")
    assert inspection.look(file.parent).version == inspection.NEEDED


def test_a_database_password_never_stands_in_the_words_of_a_command(run, folder):
    code, said = run("db", "move", folder, "postgresql://bot:pw123@db/bots")
    assert code == 1 and "env:NAME" in said and "pw123" not in said
    assert "the environment has no NOWHERE" in run("db", "move", folder, "env:NOWHERE")[1]


def test_a_record_moves_to_a_folder(run, folder, tmp_path):
    Store.open(tmp_path / "data/checked").close()
    code, said = run("db", "move", folder, tmp_path / "other")
    assert code == 0 and f'data = "{tmp_path / "other"}"' in said
    assert "take the key url below [store] out" in said and "move keys/" in said


def test_a_record_moves_to_a_server_and_back_as_the_page_says(run, folder, tmp_path, postgresql, monkeypatch):
    data = tmp_path / "data/checked"
    Store.open(data).close()
    monkeypatch.setenv("DATABASE_URL", postgresql.fresh())
    code, said = run("db", "move", folder, "env:DATABASE_URL")
    assert code == 0 and 'url = "env:DATABASE_URL"  below [store]; leave data as it is' in said
    toml = (folder / "bot.toml").read_text()
    (folder / "bot.toml").write_text(f'{toml}\n[store]\nurl = "env:DATABASE_URL"\n')
    code, said = run("db", "move", folder, data)
    assert code == 0 and "take the key url below [store] out of bot.toml" in said and "bot.db.old-1" in said
    (folder / "bot.toml").write_text(toml)
    assert run("audit", "verify", folder)[0] == 0
