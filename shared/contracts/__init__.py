"""Everything that crosses a service boundary: topics, envelopes and payloads.

Within a version fields are only added; a breaking change is a new type version sent beside the
old one. A field added here needs a default, so that older samples still read.
"""
