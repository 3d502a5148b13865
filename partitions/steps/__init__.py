"""What a plan is made of: one frozen dataclass a kind of step."""
