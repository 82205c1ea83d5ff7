"""The protocol doors, in and out."""
