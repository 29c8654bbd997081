"""Premium subsidy (参保资助): the yearly contribution of people on assistance, once each (C14)."""
