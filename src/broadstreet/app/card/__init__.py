"""The card of a signal as an officer sees it: text, and one page that needs no network."""
