"""What the sessions of the crowd ask of `dwh.payments`. Every statement gives a row, so that each can be timed."""

ROWS_A_DAY = 1500

POINT = "SELECT amount_minor FROM dwh.payments WHERE date_key = %s AND payment_id = %s"
SCAN = "SELECT count(*) FROM dwh.payments WHERE date_key BETWEEN %s AND %s AND client_key >= 0"
AGGREGATE = "SELECT count(*)::int, sum(amount_minor)::int FROM dwh.payments WHERE client_key >= 0"

INSERT = "INSERT INTO dwh.payments VALUES (%s, %s, -1, 1, 'own') RETURNING 1"
UPDATE = "UPDATE dwh.payments SET note = %s WHERE date_key = %s AND payment_id = %s RETURNING 1"
MOVE = "UPDATE dwh.payments SET date_key = %s WHERE payment_id = %s AND client_key < 0 RETURNING 1"
DELETE = "DELETE FROM dwh.payments WHERE payment_id = %s AND client_key < 0 RETURNING 1"
