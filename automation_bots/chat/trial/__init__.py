"""A trial on a real network: accounts that say, click and look, and take all of it back."""
