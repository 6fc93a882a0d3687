"""What a snapshot or delta states: whom it speaks for, and what those people have revoked."""
