"""A term's aid by stage: everybody due once a programme, to the fen, and announced (C36)."""
