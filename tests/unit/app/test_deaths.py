"""What is counted of messages at which the process that receives ended."""

from __future__ import annotations

import os

from broadstreet.app.receiving.at_hand import Suspect
from broadstreet.app.receiving.deaths import LONGEST_PUT_OFF, MOST, PUT_OFF, WITHIN, Deaths


def other(address: str = "10.0.0.7") -> Suspect:
    return Suspect(f"{address}:1", os.urandom(16))


def test_the_same_message_is_counted_from_wherever_it_comes() -> None:
    deaths = Deaths()
    assert [deaths.count(Suspect(f"10.0.0.{n}:1", b"poison"), 0.0) for n in range(3)] == [1, 2, 3]
    assert deaths.count(other(), 0.0) == 1


def test_an_address_is_put_off_after_three_ends_within_ten_minutes_and_no_other_is() -> None:
    deaths = Deaths()
    for now in (0.0, 1.0, WITHIN + 0.5):
        deaths.count(other(), now)
    assert deaths.put_off(WITHIN + 0.5) == {}
    deaths.count(other("10.0.0.8"), WITHIN + 0.6)
    deaths.count(other(), WITHIN + 0.7)
    assert deaths.put_off(WITHIN + 0.7) == {"10.0.0.7": PUT_OFF}
    assert deaths.put_off(WITHIN + 0.7 + PUT_OFF) == {}


def test_it_is_put_off_longer_each_time_but_never_for_good_and_forgiven_in_the_end() -> None:
    deaths, now, put_off = Deaths(), 0.0, []
    for _ in range(9):
        deaths.count(other(), now)
        put_off.append(deaths.put_off(now).get("10.0.0.7", 0.0))
        now += put_off[-1] + 1
    assert put_off[:5] == [0, 0, PUT_OFF, 2 * PUT_OFF, 4 * PUT_OFF]
    assert put_off[-2:] == [LONGEST_PUT_OFF] * 2
    deaths.count(other(), now + WITHIN)
    assert deaths.put_off(now + WITHIN) == {}


def test_what_is_remembered_has_an_end() -> None:
    deaths = Deaths()
    for number in range(MOST + 10):
        deaths.count(other(f"10.0.{number // 256}.{number % 256}"), 0.0)
    assert len(deaths._messages) == len(deaths._addresses) == MOST
