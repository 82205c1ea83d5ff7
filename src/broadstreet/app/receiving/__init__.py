"""The process that receives messages, and how the hub sees it.

It takes frames apart, reads each message and writes its acknowledgement; what is to be done goes over a
line to the hub's committer, which stays the only writer. So reading and committing use a processor each, and
a message that ends the process, or takes all of its time, leaves the committer alone.
"""
