"""What clinics, hospitals and laboratories send about those who come: HL7 v2 messages."""
