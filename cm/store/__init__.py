"""The one door to the database: engine, transactions, migrations.

Nothing is imported here: the cron fast path starts in this room.
"""
