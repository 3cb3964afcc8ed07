"""Messages as files that a person pastes."""
