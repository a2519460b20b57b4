"""What lies in the store about an uttrekk and about a release.

Belongs here: the names of objects, the records and raw answers with their checksums, the kinds of
uttrekk, manifests, the pointer and pins. Not here: what is done about them (extract, normalize,
lake, feed), and in which order (advance).
"""
