"""`make faults`: thousands of publishes over real HTTP on this machine, against everything that can go wrong."""
