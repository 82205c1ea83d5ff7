"""What the city does."""
