"""What it costs to divide production among members, beside its peers."""
