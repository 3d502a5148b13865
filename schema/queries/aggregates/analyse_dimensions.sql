-- Statistics of the dimensions.
ANALYZE dwh.dim_client, dwh.dim_beneficiary, dwh.dim_service, dwh.dim_channel, dwh.dim_location, dwh.dim_date, dwh.dim_time,
        dwh.dim_currency, dwh.dim_status
