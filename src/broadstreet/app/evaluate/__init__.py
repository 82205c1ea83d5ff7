"""How good the detectors are, on generated outbreaks and on histories whose outbreaks are known."""
