"""Employment: work and industry: training, jobs, subsidies, loans, insurance (C40–C50)."""
