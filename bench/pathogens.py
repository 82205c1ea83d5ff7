"""Compare each pathogen in a city of 100,000 with published ranges, and draw its curve.

Attack rates by age are told of each; where ranges were published (influenza), they are checked as well.
"""

from __future__ import annotations

from bench.results import keep
from broadstreet.model.pathogens import NAMES, pathogen_named
from broadstreet.simulation.epidemic import Import, Scenario, run
from broadstreet.simulation.epidemic.comparing import attack_rates, compare_pathogen
from broadstreet.simulation.population import City, build, configuration

PEOPLE, SEED, DAYS = 100_000, 1854, 90
_BARS = " ▁▂▃▄▅▆▇█"


def main() -> None:
    city = build(configuration("demo", PEOPLE), SEED)
    figures: dict[str, object] = {}
    for name in NAMES:
        print(f"{name:<10} infections by day  {curve(city, name)}", flush=True)
        for check in compare_pathogen(city, pathogen_named(name)):
            verdict = "pass" if check.passed else "FAIL"
            print(f"{name:<10} {check.what:<30} {check.city:7.2f}  published {check.published:g} "
                  f"({check.low:g}-{check.high:g})  {verdict}", flush=True)  # fmt: skip
            figures[f"{name}: {check.what}"] = f"{check.city:.2f} ({check.low:g}-{check.high:g}): {verdict}"
        for ages, rate in attack_rates(city, pathogen_named(name)).items():
            print(f"{name:<10} {f'infected of {ages}':<30} {rate:7.2f}  while nothing is done", flush=True)
            figures[f"{name}: infected of {ages}"] = f"{rate:.2f}, while nothing is done"
    print(f"kept in {keep('pathogens', figures)}")


def curve(city: City, name: str) -> str:
    """Return the epidemic curve of 90 days as a line of bars, two days each, with its highest day."""
    imports = (Import(pathogen=name, count=PEOPLE // 5_000),)
    days = run(city, Scenario(pathogens=(pathogen_named(name),), imports=imports, days=DAYS)).curve()
    pairs = days.reshape(-1, 2).sum(1)
    bars = "".join(_BARS[round((len(_BARS) - 1) * int(count) / int(pairs.max()))] for count in pairs)
    return f"{bars}  highest {days.max():,} on day {days.argmax()}"


if __name__ == "__main__":
    main()
