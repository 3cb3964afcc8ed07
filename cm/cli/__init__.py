"""How a person or cron speaks to it: one file per noun; arguments → one call → render."""
