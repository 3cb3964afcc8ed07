"""A pretend platform in a file of the workspace: nothing leaves this machine."""
