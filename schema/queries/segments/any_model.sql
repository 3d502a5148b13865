-- Whether a segmentation has been fitted.
SELECT EXISTS (SELECT FROM ml.segment_model)
