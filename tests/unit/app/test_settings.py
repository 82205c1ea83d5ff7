from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from broadstreet.app.load import SettingsError, load
from broadstreet.app.settings import Settings, described
from broadstreet.app.toml import as_toml

ROOT = Path(__file__).resolve().parents[3]


def file(folder: Path, text: str) -> Path:
    path = folder / "given.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(toml: str = "", environment: dict[str, str] | None = None, **given: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        load(toml if isinstance(toml, Path) else None, environment or {}, given)
    return str(caught.value)


def test_without_a_file_every_setting_has_its_default() -> None:
    assert load(environment={}) == Settings()


def test_the_command_line_goes_before_the_environment_and_this_before_the_file(tmp_path: Path) -> None:
    path = file(tmp_path, 'zone = "Asia/Seoul"\nlog_level = "error"\n[mllp]\nport = 1')
    environment = {"BROADSTREET_MLLP_PORT": "2", "BROADSTREET_LOG_LEVEL": "debug"}
    settings = load(path, environment, {"mllp.port": 3, "data": None})
    assert (settings.zone, settings.log_level, settings.mllp.port) == ("Asia/Seoul", "debug", 3)


def test_the_file_in_the_data_folder_that_the_command_line_names_is_read(tmp_path: Path) -> None:
    (tmp_path / "broadstreet.toml").write_text('zone = "Asia/Seoul"')
    assert load(environment={}, given={"data": str(tmp_path)}).zone == "Asia/Seoul"


def test_a_table_can_be_given_by_the_environment() -> None:
    environment = {"BROADSTREET_SENDERS_ZONES": '{"LAB|A" = "Asia/Seoul"}'}
    assert load(environment=environment).senders.zones == {"LAB|A": "Asia/Seoul"}


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[mllp]\nport = 70000", "mllp.port: expected whole number ≥ 0 and ≤ 65,535, got 70000"),
        ("[mllp]\nport = 'x'", "mllp.port: expected whole number ≥ 0 and ≤ 65,535, got 'x'"),
        ("[mllp]\nprot = 1", "mllp.prot: expected the name of a setting"),
        ("colour = 1", "colour: expected the name of a setting"),
        ("mllp = 1", "mllp: expected a section, got 1"),
        ("zone = 'Mars'", "zone: expected a time zone of the IANA list, such as Asia/Seoul, got 'Mars'"),
        ("[senders.zones]\n'A|B' = 'Mars'", "senders.zones: expected a time zone"),
        (
            "[senders]\ncharacter_set = 'KLINGON'",
            "senders.character_set: character set 'KLINGON' cannot be read",
        ),
        ("clock = 'fast'", "clock: expected one of system, driven, got 'fast'"),
        ("clock_start = 2026-01-01T00:00:00", "clock_start: expected an instant with its offset"),
        ("[surveillance]\nalpha = 0.9", "surveillance.alpha: expected number ≥ 0 and < 0.5, got 0.9"),
        ("[mllp.tls]\nkey = 'x'", "mllp.tls.certificate: expected certificate and key together"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_name_what_was_expected_and_what_came(
    tmp_path: Path, toml: str, said: str
) -> None:
    path = file(tmp_path, toml)
    text = refusal(path)  # type: ignore[arg-type]
    assert text.startswith(said)
    assert "given.toml" in text


def test_a_variable_that_is_no_setting_is_refused_by_its_name() -> None:
    text = refusal(environment={"BROADSTREET_MLLP_PROT": "1"})
    assert text.startswith("BROADSTREET_MLLP_PROT: expected the name of a setting")


def test_a_wrong_variable_is_named() -> None:
    text = refusal(environment={"BROADSTREET_MLLP_PORT": "many"})
    assert text == (
        "mllp.port: expected whole number ≥ 0 and ≤ 65,535, got 'many' (from BROADSTREET_MLLP_PORT)"
    )


@pytest.mark.parametrize("host", ["hospital.example", "", "127.0.0"])
def test_the_door_listens_on_an_address_and_on_no_name(host: str) -> None:
    text = refusal(**{"mllp.host": host})
    assert text.startswith(f"mllp.host: expected an IP address or localhost, got {host!r}")


def test_networks_without_tls_are_written_as_networks() -> None:
    assert load(environment={}, given={"mllp.plain_networks": "10.7.0.0/24, fd00::/8"}).mllp.networks == (
        "10.7.0.0/24",
        "fd00::/8",
    )
    assert "expected networks such as 10.7.0.0/24, got 'clinic'" in refusal(
        **{"mllp.plain_networks": "clinic"}
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_the_door_opens_on_every_loopback_address(host: str) -> None:
    assert load(environment={}, given={"mllp.host": host}).mllp.host == host


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    assert "is not a TOML file" in refusal(file(tmp_path, "x = = 1"))  # type: ignore[arg-type]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "cannot read the settings file" in refusal(tmp_path / "none.toml")  # type: ignore[arg-type]


def test_settings_written_as_toml_are_read_as_the_same(tmp_path: Path) -> None:
    import msgspec

    settings = load(
        environment={},
        given={
            "clock": "driven",
            "clock_start": "2026-01-05T00:00:00+09:00",
            "senders.zones": {'A|"B': "UTC"},
        },
    )
    assert load(file(tmp_path, as_toml(msgspec.to_builtins(settings))), {}) == settings


def test_every_setting_is_documented_as_it_is() -> None:
    specification = importlib.util.spec_from_file_location(
        "settings_page", ROOT / "tools" / "settings_page.py"
    )
    assert specification is not None
    assert specification.loader is not None
    page = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(page)
    assert page.PAGE.read_text(encoding="utf-8") == page.text(), "run python tools/settings_page.py"


def test_every_setting_says_what_it_means() -> None:
    assert [setting.name for setting in described() if not setting.meaning] == []


def test_processing_ids_are_those_of_hl7() -> None:
    assert load(environment={"BROADSTREET_MLLP_PROCESSING_IDS": "TD"}).mllp.processing_ids == "TD"
    with pytest.raises(
        SettingsError, match=r"mllp\.processing_ids: expected letters among P, T and D, got 'X'"
    ):
        load(environment={"BROADSTREET_MLLP_PROCESSING_IDS": "X"})


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("postgresql://hub:secret@db/city", "without a password"),
        ("postgresql://hub@db/city?password=secret", "without a password"),
        ("sqlite:///log.db", "begins with postgresql://, got 'sqlite'"),
    ],
)
def test_an_address_with_a_password_or_of_no_store_is_refused(address: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as refused:
        load(environment={"BROADSTREET_DATABASE": address})
    assert "secret" not in str(refused.value)


def test_the_store_is_a_file_in_the_data_folder_unless_a_server_is_named() -> None:
    assert load(environment={"BROADSTREET_DATA": "d"}).address == "d/log.db"
    named = load(environment={"BROADSTREET_DATABASE": "postgresql://hub@db/city"})
    assert named.address == "postgresql://hub@db/city"
