"""The process that runs the followers, and how the hub sees it.

It reads the log by itself, and what its followers make of it goes over a line to the hub's committer, which
stays the only writer. So a message is acknowledged without waiting for what the followers compute.
"""
