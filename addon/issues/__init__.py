"""Which company an issue's property has to name, and the cheapest calls that make it so. Pure: no SQL, no HTTP, no clock."""
