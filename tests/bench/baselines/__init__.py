"""What the platform is measured against: small honest programs that do the bare work, no more."""
