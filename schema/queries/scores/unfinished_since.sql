-- Whether a run after a given one has written without coming to its end, so that nobody said which leaves.
SELECT EXISTS (SELECT FROM ops.leaf l JOIN ops.run r USING (run_id)
               WHERE r.run_id > %(after)s AND r.status <> 'done' AND l.state IN ('built', 'merged'))
