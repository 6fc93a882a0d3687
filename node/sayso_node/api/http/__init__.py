"""HTTP itself: the server, bodies, negotiation, errors, pages."""
