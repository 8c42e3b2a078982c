"""What only the demo needs: the launcher, the cast, the catalogue, the local AWS endpoint."""
