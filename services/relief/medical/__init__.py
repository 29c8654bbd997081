"""Medical assistance (医疗救助): what the bills of people on assistance are relieved by (C15)."""
