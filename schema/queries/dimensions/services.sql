-- Services that a file may name, with what the anomaly flags need.
SELECT service_id, commission_rate::float8, is_active FROM dwh.dim_service WHERE service_key > 0
