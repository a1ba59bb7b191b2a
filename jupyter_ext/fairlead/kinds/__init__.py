"""Builders of manifests, a file for each family: arguments -> manifest. Pure."""
