-- Places with their coordinates.
SELECT location_key AS location, country_code AS location_country, latitude, longitude
FROM dwh.dim_location WHERE location_key <> 0
