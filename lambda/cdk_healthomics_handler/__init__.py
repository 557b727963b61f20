"""The Lambda function behind ``Custom::HealthOmicsRun``: event → decision → calls → answer."""
