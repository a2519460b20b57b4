"""Events -> changed persons -> a delta: what keeps a release current after its full load."""
