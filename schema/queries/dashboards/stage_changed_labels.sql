-- Labels that came or changed since: with statistics, for a hundred of them are looked up, and a million joined.
CREATE TEMPORARY TABLE changed_label ON COMMIT DROP AS
SELECT transaction_id
FROM ml.fraud_label
WHERE load_id > (SELECT version FROM ops.view_source WHERE source = 'labels')
