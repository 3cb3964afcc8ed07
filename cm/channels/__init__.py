"""Where it goes: the port, the registry, the shared HTTP client, one package per platform."""
