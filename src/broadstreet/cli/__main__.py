"""`python -m broadstreet.cli` is `broadstreet`."""

from broadstreet.cli import app

app(prog_name="broadstreet")
