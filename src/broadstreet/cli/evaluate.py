"""`evaluate`: how good the detectors are, side by side."""

from __future__ import annotations

from typing import Annotated

import typer

from broadstreet.cli.program import AsJson, Config, Data, app, settings_of

METHODS = ("detect", "farrington-flexible", "ears-c1", "ears-c2", "ears-c3", "rki", "bayes")
"""Told here, so that the help of every command need not load the methods themselves."""
_WEEKS = 52


@app.command()
def evaluate(  # noqa: PLR0913, PLR0917  each is an option
    what: Annotated[
        str,
        typer.Argument(
            help="`weekly` or `daily` (the benchmarks of Noufaily et al. 2013 and 2019), a CSV file with"
            " columns for time, count and outbreak (0 or 1), or `hub`: the signals of a hub's own history.",
            show_default=False,
        ),
    ],
    method: Annotated[
        list[str] | None,
        typer.Option(help=f"One of {', '.join(METHODS)}; may be given several times.", show_default=False),
    ] = None,
    alpha: Annotated[float, typer.Option(min=1e-6, max=0.2, help="Level of each test.")] = 0.01,
    repetitions: Annotated[
        int, typer.Option(min=1, max=1_000, help="Series of each scenario of a benchmark.")
    ] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Of a benchmark.")] = 1,
    history: Annotated[
        int, typer.Option(min=8, help="Of a file: times before the first one that is tested.")
    ] = 156,
    frequency: Annotated[int, typer.Option(min=12, max=365, help="Of a file: times a year.")] = _WEEKS,
    config: Config = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Let detectors find known outbreaks, and show how often and how soon they do.

    Each number stands with its standard error, taken between series. POD: outbreaks with an alarm;
    timeliness: share of an outbreak's duration lost before the first alarm, 1 if it was missed.

    Of a hub, its rises are told as they were then and as the settings of today tell them from the same log,
    with what officers said of them; the other options play no part. Nothing is written to the store.
    """
    if what == "hub":
        from broadstreet.cli import evaluate_hub  # noqa: PLC0415 - heavy, and no other command's

        evaluate_hub.show(settings_of(config, data), as_json=as_json)
        return
    from broadstreet.cli import evaluate_work  # noqa: PLC0415 - heavy, and no other command's

    evaluate_work.compare(
        what, method or (), alpha=alpha, repetitions=repetitions, seed=seed, history=history,
        frequency=frequency, as_json=as_json,
    )  # fmt: skip
