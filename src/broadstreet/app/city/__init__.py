"""The synthetic city at the command line: made, run, exported and asked what if."""
