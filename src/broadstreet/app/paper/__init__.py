"""What every page that leaves as one file is made of: its frame, its tables, its style."""
