"""Relief's own copy of the registry's households and what arriving events set off."""
