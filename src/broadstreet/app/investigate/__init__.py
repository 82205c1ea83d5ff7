"""Investigation without a hub: a line list in; who infected whom, where it began, and a page of it out."""
