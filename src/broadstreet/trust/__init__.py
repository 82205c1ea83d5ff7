"""Who may see what, for which purpose, with proof afterwards."""
