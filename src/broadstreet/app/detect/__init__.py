"""Detection without a hub: a table of cases or counts in, what stands out and a page of it out."""
