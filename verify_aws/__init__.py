"""``make verify-aws``: what this project assumes of AWS, asked of a real account by experiment (docs/verify.md)."""
