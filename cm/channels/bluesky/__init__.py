"""Bluesky and other servers of the AT Protocol that host accounts (PDS)."""
