"""Time the synthetic city: messages a second of CPU, all clinics in one process."""

from __future__ import annotations

import statistics
import time

from bench.results import keep
from broadstreet.simulation import Exercise


def main(runs: int = 3) -> None:
    measured = [messages_and_seconds(seed) for seed in range(runs)]
    messages = statistics.median(count for count, _ in measured)
    speed = statistics.median(count / seconds for count, seconds in measured)
    print(f"{messages:,.0f} messages in a run of 20 clinics and 120 days, {speed:,.0f} messages/s")
    kept = keep("simulation", {"messages in a run": round(messages), "messages/s of CPU": round(speed)})
    print(f"kept in {kept}")


def messages_and_seconds(seed: int) -> tuple[int, float]:
    city, count, start = Exercise(seed=seed), 0, time.process_time()
    for number in range(city.clinics):
        clinic = city.clinic(number)
        count += sum(len(clinic.messages(day)) for day in range(city.days))
    return count, time.process_time() - start


if __name__ == "__main__":
    main()
