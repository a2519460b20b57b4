"""The commands of ``freg``, a module a subject. Each is a thin edge round domain code.

Heavy imports wait until a command needs them, so that ``freg --help`` is quick.
"""
