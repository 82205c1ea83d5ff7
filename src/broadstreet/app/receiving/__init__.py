"""The process that receives messages, and how the hub sees it.

It takes frames apart, reads each message and writes its acknowledgement; what is to be done goes over a
line to the hub's committer, which stays the only writer. So reading and committing use a processor each, and
what is hostile meets a process that cannot write.
"""
