"""All tables and the frozen values that rules work on; no behaviour.

Nothing is imported here, so that pure rules stay light.
"""
