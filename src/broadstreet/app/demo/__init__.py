"""The demonstration: the product, with simulated clinics as its senders."""
