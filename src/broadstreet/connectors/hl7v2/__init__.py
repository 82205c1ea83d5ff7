"""HL7 version 2: messages, acknowledgements, and the minimal lower layer protocol (MLLP)."""
