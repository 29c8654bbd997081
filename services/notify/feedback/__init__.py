"""Word to whoever reported a lead (C22): what came of it, by receipt number or by division."""
