"""The dashboards in Metabase: cards and pages from the specification, and the client that keeps them there."""
