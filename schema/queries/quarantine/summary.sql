-- Chosen open rows by feed and reason; a row that failed two rules counts twice.
SELECT q.feed, reason, count(*) AS rows, count(DISTINCT q.content_hash) AS files, count(*) FILTER (WHERE q.attempts > 0) AS replayed,
       min(q.recorded_at) AS oldest
FROM ({chosen}) AS q, unnest(q.reasons) AS reason
GROUP BY q.feed, reason
ORDER BY count(*) DESC, q.feed, reason
