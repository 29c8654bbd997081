"""The time line of a household across all services (C6, C8): what happened, when, for how much."""
