"""Numbers: each module here measures one claim and prints it; `python -m bench NAME` runs it."""
