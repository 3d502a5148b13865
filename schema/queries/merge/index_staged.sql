-- Each leaf finds its rows among those of all.
CREATE INDEX ON incoming_fact (date_key)
