"""`cm doctor`: gathers the facts, also of a workspace in which hardly anything works, and has them judged."""
