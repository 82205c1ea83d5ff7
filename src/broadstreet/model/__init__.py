"""The words of the city: FHIR R4, local records, syndromes, clock and id sources."""
