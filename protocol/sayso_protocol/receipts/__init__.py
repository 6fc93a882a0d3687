"""What a node signs: receipts, acknowledgements, status answers, and proof of misconduct."""
