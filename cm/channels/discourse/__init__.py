"""Discourse forums: topics and replies, by an administrator's API key."""
