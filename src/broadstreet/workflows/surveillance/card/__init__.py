"""The card of a signal: what an officer must know to decide, and what the data cannot say."""

from broadstreet.workflows.surveillance.card.data import Card, Visit
from broadstreet.workflows.surveillance.card.making import Making, card_of

__all__ = ["Card", "Making", "Visit", "card_of"]
