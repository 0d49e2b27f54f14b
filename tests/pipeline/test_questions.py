"""Open questions: the next words of the same person in the same place answer them, for a while."""

from dataclasses import replace

import pytest

from automation_bots.model import Caller, Parameter, Place
from automation_bots.pipeline import parser as grammar
from automation_bots.pipeline.questions import Question, Questions, is_cancel

ANA, JOE = Caller("test", "ana"), Caller("test", "joe")
OPS, THREAD = Place("test", "ops"), Place("test", "ops", "42")
ACTION = Parameter("action", choices=("start", "stop"), help="what to do")
WORDS = Parameter("command", rest=True, help="what to run")


def question(parameter=ACTION, caller=ANA, place=OPS):
    return Question(caller, place, "service", grammar.ParsedCommand(pattern="web"), grammar.Missing(parameter))


@pytest.fixture
def questions():
    return Questions()


@pytest.mark.parametrize(
    ("parameter", "asked"),
    [
        (ACTION, "Which action? (start, stop)"),
        (WORDS, "Which command? – what to run"),
        (None, "On which devices? You may use web1, web2."),
    ],
)
def test_a_question_names_what_is_missing_and_the_choices(questions, parameter, asked):
    answer = questions.ask(question(parameter), ["web1", "web2"])
    assert answer.text == asked
    assert "cancel" in answer.hint


def test_only_the_asked_person_in_that_place_can_answer_and_only_once(questions):
    questions.ask(question(), [])
    assert not questions.open(JOE, OPS)
    assert not questions.open(ANA, THREAD)
    assert questions.take(JOE, OPS) is None
    assert questions.open(ANA, OPS)
    assert questions.take(ANA, OPS) is not None
    assert questions.take(ANA, OPS) is None


def test_said_in_the_room_the_one_question_there_is_meant_and_of_several_none(questions):
    questions.ask(question(place=THREAD), [])
    assert questions.only(ANA, OPS) == THREAD
    assert questions.only(JOE, OPS) is None
    assert questions.only(ANA, Place("test", "other")) is None
    questions.ask(question(place=Place("test", "ops", "43")), [])
    assert questions.only(ANA, OPS) is None


def test_another_command_drops_the_question_and_a_wrong_answer_leaves_it_open(questions):
    questions.ask(question(), [])
    taken = questions.take(ANA, OPS)
    questions.again(taken)
    assert questions.open(ANA, OPS)
    questions.drop(ANA, OPS)
    assert not questions.open(ANA, OPS)


def test_two_people_have_questions_of_their_own(questions):
    questions.ask(question(), [])
    questions.ask(question(caller=JOE), [])
    assert questions.take(ANA, OPS).caller == ANA
    assert questions.open(JOE, OPS)


def test_an_old_question_is_closed():
    now = 100.0
    questions = Questions(clock=lambda: now)
    questions.ask(question(), [])
    now = 399.0
    assert questions.open(ANA, OPS)
    now = 401.0
    assert not questions.open(ANA, OPS)
    assert questions.take(ANA, OPS) is None


def test_questions_that_nobody_answers_do_not_pile_up():
    now = 0.0
    questions = Questions(clock=lambda: now)
    for number in range(50):
        now += 100
        questions.ask(question(caller=replace(ANA, id=f"u{number}")), [])
    assert len(questions._open) < 10


@pytest.mark.parametrize(
    ("parameter", "said", "values", "pattern"),
    [
        (ACTION, "stop", {"action": "stop"}, "web"),
        (WORDS, "show “ip route”", {"command": ("show", "ip route")}, "web"),
        (None, "on web1, web2", {}, "web1,web2"),
        (None, "web1 web2", {}, "web1,web2"),
    ],
)
def test_an_answer_completes_what_was_typed(parameter, said, values, pattern):
    typed = question(parameter).answered(said)
    assert (typed.values, typed.pattern) == (values, pattern)


@pytest.mark.parametrize(
    ("said", "leaves"), [("cancel", True), (" Never mind ", True), ("no", True), ("cancelled", False)]
)
def test_some_words_mean_leave_it(said, leaves):
    assert is_cancel(said) is leaves
