-- Groups that no client is left in.
DELETE FROM dwh.active_month WHERE active_clients <= 0
