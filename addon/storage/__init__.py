"""What we keep in PostgreSQL, and the scope that keeps tenants apart."""
