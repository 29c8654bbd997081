"""The amounts and deadlines that education keeps: entered by one officer, approved by another."""
