"""The platform's own tables, one module a version; each service's migrations call them in turn."""
