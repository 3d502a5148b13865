"""Other ways to the same rows: each loads the same files into the same target, as those who use it would."""
