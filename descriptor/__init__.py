"""The Connect descriptor, as data. `addon.descriptor` fills in what differs between deployments."""
