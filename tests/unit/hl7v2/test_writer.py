from __future__ import annotations

import pytest

from broadstreet.connectors.hl7v2.delimiters import Delimiters
from broadstreet.connectors.hl7v2.message import Message
from broadstreet.connectors.hl7v2.writer import Raw, build, segment


def test_a_written_segment_ends_with_its_last_value() -> None:
    assert segment("PID", {"3.1": "42", "3[2].4.2": "x", "5.2": "JO", "8": None}) == "PID|||42~^^^&x||^JO"
    assert segment("NTE", {}) == "NTE"


def test_delimiters_in_a_value_are_escaped() -> None:
    assert (
        segment("NTE", {"3": "a|b^c&d~e\\f\ng\x0b"}) == "NTE|||a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f\\.br\\g\\X0B\\"
    )
    assert segment("NTE", {"3": Raw("a^b")}) == "NTE|||a^b"


def test_explicit_null_and_two_quotation_marks_are_told_apart() -> None:
    data = build({"3": "A"}, [("PID", {"1": "", "2": '""', "3": None})])
    read = Message.parse(data)
    assert [read.value(f"PID-{n}") for n in (1, 2, 3)] == ["", '""', None]


def test_the_header_states_delimiters_and_character_set() -> None:
    data = build(
        {"3": "A", "9.1": "ADT"}, [], delimiters=Delimiters(subcomponent="$"), character_set="8859/1"
    )
    assert data == b"MSH|^~\\$|A||||||ADT|||||||||8859/1\r"


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(ValueError, match=r"U\+AC00 cannot be written in 8859/1"):
        build({}, [("NTE", {"3": "가"})], character_set="8859/1")
    with pytest.raises(ValueError, match="field 3 needs a delimiter"):
        segment("PID", {"3.1.2": "x"}, Delimiters(subcomponent=""))
    with pytest.raises(ValueError, match="field 5 cannot be written here"):
        segment("PID", {"5": "x", "5.1": "y"})
    with pytest.raises(ValueError, match="field 2 cannot be written here"):
        segment("MSH", {"2": "x"})


def test_a_receiver_without_an_escape_sign_gets_question_marks() -> None:
    plain = Delimiters(escape="", subcomponent="")
    assert segment("NTE", {"3": 'a|b^c\n""', "4": '""'}, plain) == 'NTE|||a?b?c?""|?'
