"""Measure `detect`: weekly and daily benchmarks, a city with clusters, and a night of 10,000 series.

Each part is a module of its own: `python -m bench.detect_night`,
`detect_weekly`, `detect_daily`, `detect_city`.
"""

from __future__ import annotations

from bench import detect_city, detect_daily, detect_night, detect_short, detect_weekly


def main() -> None:
    for part in (detect_night, detect_short, detect_weekly, detect_daily, detect_city):
        part.main()


if __name__ == "__main__":
    main()
