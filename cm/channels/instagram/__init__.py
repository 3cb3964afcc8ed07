"""Instagram, for professional accounts."""
