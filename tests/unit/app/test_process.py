"""A hub as a process of its own: what whoever started it is told when it ends."""

from __future__ import annotations

import os
import signal

import pytest

from broadstreet.app import requests
from broadstreet.app.control import ControlError
from broadstreet.app.process import HubProcess
from broadstreet.app.settings import Mllp, Settings
from broadstreet.store.protocol import StoreError


def settings_in(folder: object) -> Settings:
    return Settings(data=str(folder), mllp=Mllp(port=0), log_level="warning")


def killed_and_asked(folder: object) -> None:
    with HubProcess(settings_in(folder)) as hub:
        running = hub.status().hub
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        hub.control.ask(requests.Settle())


def test_a_hub_that_is_killed_is_told_of_with_what_it_logged_last(tmp_path: object) -> None:
    with pytest.raises(StoreError, match=r"the hub ended in the middle \(-9\): it logged nothing"):
        killed_and_asked(tmp_path)


def test_what_a_hub_that_lives_cannot_do_is_told_as_it_says_it(tmp_path: object) -> None:
    with pytest.raises(ControlError, match="quarantine"), HubProcess(settings_in(tmp_path)) as hub:
        hub.control.ask(requests.QuarantineShow(id="none"))
