"""What may not go out: pure rules over text and fields; nothing here reaches a database."""
