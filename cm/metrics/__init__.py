"""How it did: snapshots, rates, the weekly report."""
