-- Files and rows by feed.
SELECT feed, count(*) AS files, sum(rows_read)::bigint AS read, sum(rows_loaded)::bigint AS loaded,
       sum(rows_updated)::bigint AS updated, sum(rows_repeated)::bigint AS repeated, sum(rows_rejected)::bigint AS rejected
FROM ops.file
GROUP BY feed
ORDER BY feed
