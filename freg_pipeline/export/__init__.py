"""A copy of a release in another form: its tables as plain files, by a layout's rules."""
