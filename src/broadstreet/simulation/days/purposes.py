"""What random numbers are for; each purpose is a stream of its own."""

from __future__ import annotations

# Plain numbers, since compiled code reads them.
DEAL_STEP, DEAL_SHIFT = 1, 2
ATTENDS, STARTS, STAYS = 3, 4, 5
ON_SHIFT, WHICH_SHIFT = 6, 7
SEEKS_CARE, BED = 8, 9
IN_CONTACT = 10
