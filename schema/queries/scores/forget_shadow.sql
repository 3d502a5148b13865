-- Scores of what is no longer the shadow, and of days that are too old to be compared.
DELETE FROM ml.shadow_score WHERE model_version IS DISTINCT FROM %(version)s OR date_key < %(first)s
