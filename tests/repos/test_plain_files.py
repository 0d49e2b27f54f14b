"""What a file of a plugin may be: text that shows all that it says, or a picture."""

import io
import zipfile

import pytest

from automation_bots.errors import BadRepository
from automation_bots.repos import plain_files, plugin_code

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


def archive():
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr("hidden.py", "x = 1")
    return made.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("fast.cpython-311-x86_64-linux-gnu.so", b"\x7fELF"),
        ("fast.so", b"x"),
        ("fast.pyd", b"MZ"),
        ("deep/fast.DLL", b"MZ"),
        ("greeter.pyc", b"\xa7\r\r\n"),
        ("__pycache__/greeter.cpython-311.pyc", b""),
        ("lib.zip", b""),
        ("lib-1.0-py3.11.egg", b""),
        ("lib.egg/lib.py", b"x = 1"),
        ("lib.whl", b""),
        ("a.pth", b"import os"),
        ("a.egg-link", b"/tmp"),
        ("a.dist-info/entry_points.txt", b"[errbot.plugins]"),
        ("README", b"\x7fELF\2\1\1\0"),
        ("data.bin", b"\xa7\r\r\n\0\0\0\0"),
        ("LICENSE", archive()),
        ("logo.png", archive()),
        ("logo.png", PNG + archive()),
        ("logo.jpg", b"MZ"),
        ("notes.txt", "x".encode("utf-16")),
    ],
)
def test_what_python_could_load_and_nobody_can_read_is_refused_whatever_its_name(name, data):
    with pytest.raises(BadRepository, match=r"nobody can read|not the picture"):
        plain_files.check(name, data, name)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("greeter.py", b"x = 'gr\xc3\xbc\xc3\x9fe'\r\n"),
        ("greeter.py", b"\xef\xbb\xbf# -*- coding: utf-8 -*-\nx = 1\n"),
        ("greeter.py", "# vim: set fileencoding=UTF_8 :\nx = '✔️ 👩‍🔧 1️⃣ 👍🏽'\n".encode()),
        ("greeter.plug", b"[Core]\nName = x\n"),
        ("logo.png", PNG),
        (".gitignore", b"*.pyc\n__pycache__\n"),
        ("LICENSE", b"MIT"),
        ("templates/answer.md", "für\tdich".encode()),
        (".github/workflows/ci.yml", b"on: push\n"),
    ],
)
def test_text_source_and_pictures_are_taken(name, data):
    plain_files.check(name, data, name)


@pytest.mark.parametrize("coding", ["utf-7", "UTF7", "latin-1", "rot13", "unicode_escape", "utf-16", "punycode"])
@pytest.mark.parametrize(
    "line", ["# -*- coding: {} -*-\n", "#!/usr/bin/env python\n# vim: fileencoding={}\n", "\n#coding={}\n"]
)
def test_source_in_another_coding_than_is_read_is_refused(line, coding):
    with pytest.raises(BadRepository, match="source is read as UTF-8 only"):
        plain_files.source(f"{line.format(coding)}# +AAo-import automation_bots.store\n".encode(), "greeter.py")


def test_source_that_is_no_utf_8_is_refused():
    with pytest.raises(BadRepository, match="is not UTF-8"):
        plain_files.source("x = 'ü'".encode("latin-1"), "greeter.py")


NOBODY_SEES = "\u202e\u2066\u200b\u200d\u00ad\u3164\uffa0\ufe0f\ufeff\u2028\U000e0041\r\x0c\x1b\x08\0\x85\x7f"


@pytest.mark.parametrize("hidden", list(NOBODY_SEES))
@pytest.mark.parametrize("line", ["name{} = 1", "'''a{}b'''", "# a{}b", "naïve{}x = 1"])
def test_a_character_that_nobody_sees_is_refused_with_its_line_and_number(line, hidden):
    with pytest.raises(BadRepository, match=rf"greeter.py:2 has .*U\+{ord(hidden):04X}"):
        plain_files.source(f"x = 1\n{line.format(hidden)}\n".encode(), "greeter.py")


@pytest.mark.parametrize("pattern", [r"(a)\\1", "(?=x)y", "(?<!x)y", "("])
def test_a_pattern_that_could_hang_the_bot_is_refused_with_its_line(pattern):
    text = f"class A:\n    @re_botcmd(pattern='{pattern}')\n    def f(self, msg, match): pass\n"
    with pytest.raises(BadRepository, match=r"greeter.py:3: the pattern .* could hang the bot"):
        plugin_code.read(text, "greeter.py")
