"""Dropout control (控辍保学): a child who is missing at school is called, visited, brought back."""
