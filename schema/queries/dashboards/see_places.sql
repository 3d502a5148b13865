-- Places as they are now.
INSERT INTO ops.seen_location (location_key, country_code)
SELECT location_key, country_code FROM dwh.dim_location
ON CONFLICT (location_key) DO UPDATE SET country_code = excluded.country_code
WHERE seen_location.country_code IS DISTINCT FROM excluded.country_code
