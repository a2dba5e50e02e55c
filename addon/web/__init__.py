"""What callers see: pages, the JSON API and errors."""
