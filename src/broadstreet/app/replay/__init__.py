"""Sending what lies in files through the real door."""
