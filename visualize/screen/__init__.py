"""The page: layout, wording and thin handlers; what computes is passed in."""
