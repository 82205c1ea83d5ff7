"""Read tables as people have them: separators, encodings, names of columns and dates of many kinds."""
