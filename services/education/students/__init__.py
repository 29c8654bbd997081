"""One file a pupil for life (一人一档), and who must be at school and is (C33, C34)."""
