"""From due to published, exactly once: claim, attempt, decide, settle."""
