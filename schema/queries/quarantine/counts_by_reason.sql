-- How many open rows failed each rule; a row that failed two counts twice.
SELECT feed, reason, count(*) AS rows
FROM ops.quarantine, unnest(reasons) AS reason
WHERE state = 'open'
GROUP BY feed, reason
ORDER BY count(*) DESC, feed, reason
