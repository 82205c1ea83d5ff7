"""A synthetic city that speaks to the hub only through its doors."""
