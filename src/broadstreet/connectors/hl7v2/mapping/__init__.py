"""Map HL7 v2 messages to FHIR R4, by tables that an interface analyst can read and correct.

`tables/` says which field becomes which element, which code stands for which, and what each event does to
a patient and a visit. `planning` reads a message into a plan, outside of any transaction. `work` carries
the plan out inside the commit: it finds who and what is meant, and puts the resources.
"""
