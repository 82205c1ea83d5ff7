"""Once there are accounts, nobody sends, reads or erases without one; other machines come in only then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from broadstreet.app.binding import admission_of, require_trust
from broadstreet.app.process import HubProcess
from broadstreet.app.settings import Mllp, Settings, Tls
from broadstreet.cli import app
from broadstreet.connectors.hl7v2.client import BlockingMllpClient
from broadstreet.trust.accounts import Account, Accounts
from broadstreet.trust.senders import REMEMBERED
from tests.unit.app.conftest import START
from tests.unit.cli.conftest import Run, message

PASSWORD = "correct horse battery"
EVERYWHERE = "0.0.0.0"


@pytest.fixture(autouse=True)
def token_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BROADSTREET_TOKEN_FILE", str(tmp_path / "token"))
    return tmp_path / "token"


@pytest.fixture
def accounts(folder: Path) -> Accounts:
    folder.mkdir(mode=0o700)
    accounts = Accounts(folder)
    accounts.add(Account(name="olga", kind="person", roles=("operator",)), PASSWORD)
    accounts.add(Account(name="pia", kind="person", roles=("privacy-officer",)), PASSWORD)
    return accounts


@pytest.fixture
def process(accounts: Accounts, folder: Path) -> Iterator[HubProcess]:
    """Yield a hub that listens everywhere, for one clinic on this machine's own network."""
    clinic = Account(
        name="clinic", kind="client", roles=("sender",), networks=("127.0.0.0/8",), facilities=("CLINIC",)
    )
    accounts.add(clinic)
    mllp = Mllp(port=0, host=EVERYWHERE, plain_networks="127.0.0.0/8")
    with HubProcess(Settings(data=str(folder), clock="driven", clock_start=START, mllp=mllp)) as hub:
        yield hub


def sign_in(run: Run, folder: Path, name: str) -> None:
    said = CliRunner().invoke(app, ["sign-in", name, "--stdin", "--data", str(folder)], input=PASSWORD + "\n")
    assert f"Signed in as {name}" in said.output
    assert run("access", "--of", "nobody", "--data", folder).output is not None


def test_a_hub_lets_in_whom_it_knows_and_shows_to_whom_signed_in(
    process: HubProcess, accounts: Accounts, run: Run, folder: Path, token_file: Path
) -> None:
    with BlockingMllpClient("127.0.0.1", process.address()[1]) as client:
        assert b"MSA|AA" in client.send(message("1")).raw
        foreign = client.send(message("2").replace(b"|EHR|CLINIC|", b"|EHR|OTHER|"))
        assert b"MSA|AR" in foreign.raw
        assert b"may not speak for the facility" in foreign.raw
    unsigned = run("quarantine", "list", "--data", folder)
    assert unsigned.exit_code == 2
    assert "somebody must be signed in" in unsigned.output
    sign_in(run, folder, "olga")
    assert token_file.stat().st_mode & 0o077 == 0
    held = run("quarantine", "list", "--json", "--data", folder)
    assert "may not speak for" in held.output
    assert "hl7v2:127.0.0.1" in held.output
    other = run("erase", "somebody", "--basis", "law", "--yes", "--data", folder)
    assert other.exit_code == 2
    assert "privacy-officer" in other.output
    refused = run("access", "--of", "somebody", "--data", folder)
    assert "no role that reads for audit" in refused.output
    sign_in(run, folder, "pia")
    assert run("quarantine", "list", "--data", folder).exit_code == 2
    assert "No reading is recorded" in run("access", "--of", "somebody", "--data", folder).output
    accounts.disable("pia")
    assert "sign" in run("access", "--of", "somebody", "--data", folder).output
    accounts.disable("clinic")
    accounts.add(Account(name="another", kind="client", roles=("sender",), networks=("10.9.0.0/16",)))
    time.sleep(REMEMBERED)
    with BlockingMllpClient("127.0.0.1", process.address()[1]) as client:
        answers = [client.send(message(str(number), visit=f"V{number}")).raw for number in range(3, 6)]
    assert b"MSA|AR" in answers[-1]
    assert b"this sender is not known here" in answers[-1]


def test_other_machines_are_let_in_only_once_senders_are_known_and_nobody_can_listen_in(
    accounts: Accounts, folder: Path
) -> None:
    open_to_all = Settings(data=str(folder), mllp=Mllp(host=EVERYWHERE))
    with pytest.raises(ValueError, match="nobody is known who may send"):
        require_trust(open_to_all)
    accounts.add(Account(name="clinic", kind="client", roles=("sender",), networks=("10.7.0.0/16",)))
    with pytest.raises(ValueError, match="unencrypted"):
        require_trust(open_to_all)
    require_trust(Settings(data=str(folder), mllp=Mllp(host=EVERYWHERE, tls=Tls(certificate="c", key="k"))))
    named = Settings(data=str(folder), mllp=Mllp(host=EVERYWHERE, plain_networks="10.7.0.0/16"))
    require_trust(named)
    require_trust(Settings(data=str(folder)))
    admits = admission_of(named)
    assert [admits(a) for a in ("10.7.1.2", "::ffff:10.7.1.2", "127.0.0.1", "10.8.0.1", "fe80::1%eth0")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_hub_that_nobody_may_send_to_does_not_listen_for_other_machines(run: Run, folder: Path) -> None:
    said = run("serve", "--data", folder, "--host", EVERYWHERE)
    assert said.exit_code == 2
    assert (
        "mllp.host: expected an address of this machine, got '0.0.0.0': trust must be configured"
        in said.output
    )
    assert not (folder / "log.db").exists()


@pytest.mark.usefixtures("accounts")
def test_a_token_that_others_may_read_and_one_that_is_forged_are_refused(
    run: Run, folder: Path, token_file: Path
) -> None:
    token_file.write_text("bst1.x.y.z")
    token_file.chmod(0o644)
    assert "may be read by others" in run("quarantine", "list", "--data", folder).output
    token_file.chmod(0o600)
    assert "somebody must be signed in" in run("quarantine", "list", "--data", folder).output


@pytest.mark.usefixtures("process")
def test_a_forged_token_is_refused_by_the_hub_itself(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROADSTREET_TOKEN", "bst1.none.e30.")
    said = run("quarantine", "list", "--data", folder)
    assert said.exit_code == 2
    assert "the token is not accepted" in said.output
