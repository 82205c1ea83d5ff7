"""The append-only log and everything that is projected from it."""
