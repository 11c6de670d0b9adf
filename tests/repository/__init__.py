"""Rules that the repository itself keeps."""
