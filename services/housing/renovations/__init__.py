"""Renovating a dangerous house: from application to acceptance and payment (C31, C32, R32)."""
