-- Every file that is accounted for.
SELECT content_hash, feed, contract, file_name FROM ops.file
