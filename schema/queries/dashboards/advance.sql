-- Tables of dashboards that views rest on have changed.
UPDATE ops.view_source SET version = version + 1 WHERE source = ANY (%s)
