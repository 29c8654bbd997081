"""Jobs (就业安置): who was placed where, by which kind of work, and until when (C45, C46)."""
