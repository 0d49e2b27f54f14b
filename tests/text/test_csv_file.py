"""A file of rows that a spreadsheet opens right, and that runs nothing there."""

import csv
import io

import pytest

from automation_bots.text import csv_file


def cells(*values):
    return next(csv.reader(io.StringIO(csv_file.text(["a"] * len(values), [values]).split("\r\n")[1])))


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", '"=1', "＝1", "=cmd|' /C calc'!A0"]
)
def test_what_a_spreadsheet_might_run_is_text(text):
    assert cells(text)[0].startswith("'")


@pytest.mark.parametrize("text", ["7", "-7", "-3.5", "-70,5", "eth0", "10.0.0.1", ""])
def test_numbers_and_names_are_as_they_were(text):
    assert cells(text) == [text]


def test_a_spreadsheet_knows_that_it_is_utf_8_and_nobody_else_sees_the_mark():
    file = csv_file.file("rows", ["name"], [["Zürich"]])
    assert (file.name, file.content[:3]) == ("rows.csv", b"\xef\xbb\xbf")
    assert file.text.splitlines() == ['"name"', '"Zürich"']


def test_a_cell_is_one_line():
    assert cells("one\ntwo", 3) == ["one two", "3"]
