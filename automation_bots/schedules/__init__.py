"""Commands that run at times, as the person who made them."""
