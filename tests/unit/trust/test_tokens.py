from __future__ import annotations

import json
import string
from base64 import urlsafe_b64encode
from datetime import timedelta

import pytest

from broadstreet.model.clock import DrivenClock
from broadstreet.trust.tokens import ACCESS, BadToken, Signer

KEY, OTHER = b"k" * 32, b"o" * 32


def text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture
def signer(clock: DrivenClock) -> Signer:
    return Signer({"a": KEY}, clock)


def test_a_token_says_who_signed_in(signer: Signer) -> None:
    claims = signer.read(signer.issue("kim", 3, "access"), "access")
    assert (claims.name, claims.generation) == ("kim", 3)


def test_a_token_expires(signer: Signer, clock: DrivenClock) -> None:
    token = signer.issue("kim", 1, "access")
    clock.advance(clock.now() + timedelta(microseconds=ACCESS - 1))
    signer.read(token, "access")
    clock.advance(clock.now() + timedelta(microseconds=1))
    with pytest.raises(BadToken):
        signer.read(token, "access")


def test_no_sign_of_a_token_can_be_changed(signer: Signer) -> None:
    token = signer.issue("kim", 1, "access")
    letters = string.ascii_letters + string.digits + "-_."
    for place in range(len(token)):
        for letter in (letters[place % len(letters)], "A", "."):
            if letter != token[place]:
                with pytest.raises(BadToken):
                    signer.read(token[:place] + letter + token[place + 1 :], "access")


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256"])
def test_a_token_that_chooses_its_own_algorithm_is_refused(signer: Signer, algorithm: str) -> None:
    head = text(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    claims = text(json.dumps({"sub": "kim", "exp": 4_102_444_800}).encode())
    for forged in (f"{head}.{claims}.", f"{head}.{claims}", f"bst1.a.{claims}.", f"bst1..{claims}."):
        with pytest.raises(BadToken):
            signer.read(forged, "access")


def test_a_token_of_another_key_is_refused_though_it_names_ours(signer: Signer, clock: DrivenClock) -> None:
    forged = Signer({"a": OTHER}, clock).issue("kim", 1, "access")
    with pytest.raises(BadToken):
        signer.read(forged, "access")


def test_a_refresh_token_opens_no_reads_and_an_access_token_is_not_exchanged(signer: Signer) -> None:
    with pytest.raises(BadToken):
        signer.read(signer.issue("kim", 1, "refresh"), "access")
    with pytest.raises(BadToken):
        signer.spend(signer.issue("kim", 1, "access"))


def test_a_refresh_token_that_comes_twice_ends_its_whole_family(signer: Signer) -> None:
    first = signer.issue("kim", 1, "refresh")
    claims = signer.spend(first)
    successor = signer.issue("kim", 1, "refresh", claims.family)
    with pytest.raises(BadToken):
        signer.spend(first)
    with pytest.raises(BadToken):
        signer.spend(successor)
    signer.spend(signer.issue("kim", 1, "refresh"))  # another sign-in is not touched


def test_a_refresh_token_is_not_spent_again_at_a_hub_that_was_started_again(
    signer: Signer, clock: DrivenClock
) -> None:
    token = signer.issue("kim", 1, "refresh")
    signer.spend(token)
    clock.advance(clock.now() + timedelta(seconds=1))
    with pytest.raises(BadToken):
        Signer({"a": KEY}, clock).spend(token)


def test_a_token_outlives_one_rotation_of_the_signing_key_and_not_two(
    signer: Signer, clock: DrivenClock
) -> None:
    token = signer.issue("kim", 1, "access")
    rotated = Signer({"a": KEY, "b": OTHER}, clock)
    assert rotated.read(token, "access").name == "kim"
    assert rotated.issue("kim", 1, "access").split(".")[1] == "b"
    with pytest.raises(BadToken):
        Signer({"b": OTHER}, clock).read(token, "access")


@pytest.mark.parametrize("forged", ["", ".", "...", "bst1.a..", "é", "bst1." * 1_000, "\0" * 10])
def test_what_is_no_token_is_refused(signer: Signer, forged: str) -> None:
    with pytest.raises(BadToken):
        signer.read(forged, "access")


def test_whoever_forges_learns_nothing_from_the_answer(signer: Signer) -> None:
    told = set()
    for forged in ("", "bst1.x.e30.e30", signer.issue("kim", 1, "refresh")):
        with pytest.raises(BadToken) as refused:
            signer.read(forged, "access")
        told.add(str(refused.value))
    assert len(told) == 1
