from __future__ import annotations

from datetime import timedelta

import pytest

from broadstreet.model.clock import DrivenClock
from broadstreet.trust.accounts import Account, Accounts
from broadstreet.trust.passwords import SHORTEST
from broadstreet.trust.signin import SignIn, SignInRefused
from broadstreet.trust.throttle import FREE, FREE_FROM_STRANGERS, MOST_OF_A_NETWORK, Throttled
from broadstreet.trust.tokens import BadToken
from tests.unit.trust.conftest import PASSWORD

HOME, ELSEWHERE = "10.0.0.1", "192.0.2.7"


@pytest.fixture
def door(accounts: Accounts, clock: DrivenClock) -> SignIn:
    return SignIn(accounts, clock)


def fail(door: SignIn, name: str, address: str) -> str:
    try:
        door.sign_in(name, "wrong password", address)
    except (SignInRefused, Throttled) as refused:
        return type(refused).__name__
    return "signed in"


def test_who_signs_in_is_known_by_the_token(door: SignIn) -> None:
    session = door.sign_in("kim", PASSWORD, HOME)
    assert door.principal(session.access) == session.principal
    assert session.principal.organisation == "org-1"
    assert door.principal(door.renew(session.refresh).access).name == "kim"


def test_unknown_names_wrong_passwords_and_disabled_accounts_are_told_alike(
    door: SignIn, accounts: Accounts
) -> None:
    accounts.add(Account(name="lee", kind="person", disabled=True), PASSWORD)
    accounts.add(Account(name="clinic-7", kind="client", networks=("10.7.0.0/16",)))
    told = set()
    for name, password in (("kim", "wrong"), ("nobody", PASSWORD), ("lee", PASSWORD), ("clinic-7", "")):
        with pytest.raises(SignInRefused) as refused:
            door.sign_in(name, password, HOME)
        told.add(str(refused.value))
    assert len(told) == 1


def test_a_changed_password_and_a_disabled_account_end_what_is_signed_in(
    door: SignIn, accounts: Accounts
) -> None:
    before = door.sign_in("kim", PASSWORD, HOME)
    accounts.set_password("kim", "another long password")
    with pytest.raises(BadToken):
        door.principal(before.access)
    with pytest.raises(BadToken):
        door.renew(before.refresh)
    after = door.sign_in("kim", "another long password", HOME)
    accounts.disable("kim")
    with pytest.raises(BadToken):
        door.principal(after.access)


def test_a_role_that_is_taken_away_is_gone_at_once(door: SignIn, accounts: Accounts) -> None:
    session = door.sign_in("kim", PASSWORD, HOME)
    path = accounts._path
    path.write_bytes(path.read_bytes().replace(b'"clinician"', b'"planner"'))
    assert door.principal(session.access).roles == {"planner"}


def test_guessing_from_one_network_is_made_to_wait_and_looks_at_no_password_meanwhile(door: SignIn) -> None:
    told = [fail(door, "kim", ELSEWHERE) for _ in range(FREE + 2)]
    assert told == ["SignInRefused"] * (FREE + 1) + ["Throttled"]
    with pytest.raises(Throttled):
        door.sign_in("kim", PASSWORD, ELSEWHERE)


def test_guessing_does_not_lock_the_owner_out(door: SignIn) -> None:
    door.sign_in("kim", PASSWORD, HOME)
    for number in range(3 * FREE_FROM_STRANGERS):
        fail(door, "kim", f"198.51.{number // 250}.{number % 250}")
    assert fail(door, "kim", ELSEWHERE) == "Throttled"  # guessing from many addresses is slowed down
    assert door.sign_in("kim", PASSWORD, HOME).principal.name == "kim"


def test_guessing_at_one_name_does_not_slow_another(door: SignIn, accounts: Accounts) -> None:
    accounts.add(Account(name="lee", kind="person"), PASSWORD)
    for _ in range(FREE + 5):
        fail(door, "kim", ELSEWHERE)
    assert door.sign_in("lee", PASSWORD, ELSEWHERE).principal.name == "lee"


def test_names_cannot_be_tried_out_without_limit_from_one_network(door: SignIn) -> None:
    told = [fail(door, f"name-{number}", ELSEWHERE) for number in range(MOST_OF_A_NETWORK + 1)]
    assert told[-1] == "Throttled"
    assert told[:-1] == ["SignInRefused"] * MOST_OF_A_NETWORK


def test_a_network_of_ipv6_is_its_first_half(door: SignIn) -> None:
    for number in range(FREE + 1):
        fail(door, "kim", f"2001:db8::{number + 1:x}")
    assert fail(door, "kim", "2001:db8::ffff:1") == "Throttled"


def test_who_waited_may_try_again(door: SignIn, clock: DrivenClock) -> None:
    for _ in range(FREE + 1):
        fail(door, "kim", ELSEWHERE)
    clock.advance(clock.now() + timedelta(seconds=3))
    assert door.sign_in("kim", PASSWORD, ELSEWHERE).principal.name == "kim"


def test_a_short_password_is_refused_with_what_was_expected(accounts: Accounts) -> None:
    with pytest.raises(ValueError, match=f"a password has {SHORTEST} to"):
        accounts.add(Account(name="lee", kind="person"), "short")


def test_the_file_of_accounts_holds_no_password_and_opens_to_its_owner_alone(accounts: Accounts) -> None:
    path = accounts._path
    assert PASSWORD.encode() not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(ValueError, match="may be read by others"):
        accounts.get("kim")


def test_a_sender_is_known_by_its_certificate_or_its_network(accounts: Accounts) -> None:
    accounts.add(Account(name="by-network", kind="client", roles=("sender",), networks=("10.7.0.0/16",)))
    accounts.add(
        Account(name="by-both", kind="client", certificates=("commonName=c",), networks=("10.8.0.0/16",))
    )
    who = {
        ("10.7.1.2", None): "by-network",
        ("::ffff:10.7.1.2", None): "by-network",
        ("10.8.0.1", "commonName=c"): "by-both",
        ("10.8.0.1", None): None,
        ("10.8.0.1", "commonName=d"): None,
        ("10.9.0.1", "commonName=c"): None,
        ("nonsense", None): None,
    }
    for (address, certificate), name in who.items():
        found = accounts.sender(address, certificate)
        assert (found.name if found else None) == name
    accounts.disable("by-network")
    assert accounts.sender("10.7.1.2", None) is None


def test_two_signing_keys_are_kept(accounts: Accounts) -> None:
    first = list(accounts.signing_keys())
    second, third = accounts.rotate_signing_key(), accounts.rotate_signing_key()
    assert list(accounts.signing_keys()) == [second, third]
    assert first[0] not in accounts.signing_keys()
