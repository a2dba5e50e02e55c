"""The forward migrations of our schema, one file each."""
