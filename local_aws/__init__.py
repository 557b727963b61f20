"""An AWS on this machine, without Docker: ministack, mended, with a HealthOmics service. For trying and testing."""
