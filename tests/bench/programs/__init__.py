"""Parts of the platform as processes that drive themselves and write down how long it took."""
