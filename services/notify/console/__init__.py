"""The officers' web console in Chinese (C6, C63): served at notify's root, outside /v1."""
