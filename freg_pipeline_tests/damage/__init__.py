"""Every kind of object that a store keeps, damaged in each way, read by each command.

``make damage``. Whatever is damaged: it is told, by the object's name and with the way out, or it
heals, and what comes of it is right; or the command doesn't need the object, and says what it says
without the damage. Never other data, never silently less, never a surprise.

Kinds are those of :mod:`freg_pipeline.journal.names`, counted from a real store's objects: one that
is of no kind fails.
"""
