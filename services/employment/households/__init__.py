"""Employment's own copy of the households, kept in step with the registry."""
