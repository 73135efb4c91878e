-- reset_offsets: moving committed offsets, also back.
SET TimeZone = 'UTC';
SELECT topic.create_topic('r', 3);
SELECT base_offset, record_count FROM generate_series(0, 1) p, LATERAL topic.produce_batch('r',
	ARRAY(SELECT format('%s/%s', p, i) FROM generate_series(0, 9) i), partition => p,
	record_timestamps => ARRAY(SELECT timestamptz '2024-01-01' + i * interval '1 s' FROM generate_series(0, 9) i)) b;
SELECT count(*) FROM topic.consume('g', 'r', commit => true);

-- Each of the four ways
SELECT * FROM topic.reset_offsets('g', 'r', to_position => 'earliest');
SELECT * FROM topic.reset_offsets('g', 'r', 'latest');
SELECT * FROM topic.reset_offsets('g', 'r', to_offset => 7, partitions => ARRAY[0, 1]);
SELECT * FROM topic.reset_offsets('g', 'r', to_time => '2024-01-01 00:00:03');
SELECT * FROM topic.reset_offsets('g', 'r', shift_by => 2);
SELECT * FROM topic.reset_offsets('g', 'r', shift_by => -1);
SELECT partition, committed_offset, metadata FROM topic.committed('g', 'r');
-- consume goes on from there.
SELECT value FROM topic.consume_text('g', 'r', 1, ARRAY[0]);

-- A shift stops at the ends of the log.
SELECT * FROM topic.reset_offsets('g', 'r', shift_by => -9223372036854775808);
SELECT * FROM topic.reset_offsets('g', 'r', shift_by => -1);
SELECT * FROM topic.reset_offsets('g', 'r', shift_by => 9223372036854775807);
SELECT * FROM topic.reset_offsets('g', 'r', shift_by => 1);
SELECT * FROM topic.reset_offsets('g', 'r', shift_by => 0);
-- An offset must be within it.
SELECT * FROM topic.reset_offsets('g', 'r', to_offset => 10, partitions => ARRAY[0, 1]);
SELECT * FROM topic.reset_offsets('g', 'r', to_offset => 11, partitions => ARRAY[0]);
SELECT * FROM topic.reset_offsets('g', 'r', to_offset => 7);
SELECT * FROM topic.reset_offsets('g', 'r', to_offset => -1);
-- A time: the first record at or after it, else the end.
SELECT t, array_agg(new_offset ORDER BY partition) FROM unnest(ARRAY['-infinity', '1970-01-01',
		'2024-01-01 00:00:00', '2024-01-01 00:00:00.000001', '2024-01-01 00:00:08.9995',
		'2024-01-01 00:00:09', '2024-01-01 00:00:09.001', 'infinity']::timestamptz[]) t,
	LATERAL topic.reset_offsets('g', 'r', to_time => t, dry_run => true) GROUP BY t ORDER BY t;

-- dry_run tells, and changes nothing.
SELECT * FROM topic.reset_offsets('g', 'r', 'earliest', dry_run => true);
SELECT * FROM topic.reset_offsets('g', 'r', 'earliest', dry_run => true, partitions => ARRAY[1]);
SELECT partition, committed_offset FROM topic.committed('g', 'r');
BEGIN READ ONLY;
SELECT * FROM topic.reset_offsets('g', 'r', 'earliest', dry_run => true);
SELECT * FROM topic.reset_offsets('g', 'r', 'earliest');
ROLLBACK;
SELECT * FROM topic.reset_offsets('never seen', 'r', 'earliest', dry_run => true);
SELECT count(*) FROM topic.groups WHERE group_id = 'never seen';
-- A group that has committed nothing; a shift counts from the log's start.
SELECT * FROM topic.reset_offsets('new', 'r', shift_by => 3, partitions => ARRAY[0]);
SELECT * FROM topic.reset_offsets('new', 'r', 'latest');
SELECT * FROM topic.reset_offsets('none', 'r', to_offset => 0);
-- Some partitions, or none
SELECT * FROM topic.reset_offsets('g', 'r', 'earliest', partitions => ARRAY[2, 0]);
SELECT * FROM topic.reset_offsets('g', 'r', 'earliest', partitions => '{}');
SELECT partition, committed_offset FROM topic.committed('g', 'r');
-- In a transaction that consumes: the position moves, too.
BEGIN;
SELECT value FROM topic.consume_text('g', 'r', 1, ARRAY[0]);
SELECT * FROM topic.reset_offsets('g', 'r', to_offset => 5, partitions => ARRAY[0]);
SELECT value FROM topic.consume_text('g', 'r', 1, ARRAY[0]);
SAVEPOINT s;
SELECT * FROM topic.reset_offsets('g', 'r', to_offset => 2, partitions => ARRAY[0]);
SELECT value FROM topic.consume_text('g', 'r', 1, ARRAY[0]);
ROLLBACK TO s;
SELECT value FROM topic.consume_text('g', 'r', 1, ARRAY[0]);
SELECT * FROM topic.commit('g', 'r');
COMMIT;
SELECT partition, committed_offset FROM topic.committed('g', 'r');
BEGIN;
SELECT * FROM topic.reset_offsets('g', 'r', 'latest');
ROLLBACK;
SELECT partition, committed_offset FROM topic.committed('g', 'r');

-- Exactly one way
SELECT * FROM topic.reset_offsets('g', 'r');
SELECT * FROM topic.reset_offsets('g', 'r', 'earliest', 0);
SELECT * FROM topic.reset_offsets('g', 'r', to_offset => 0, shift_by => 0);
SELECT * FROM topic.reset_offsets('g', 'r', to_time => now(), shift_by => 0);
SELECT * FROM topic.reset_offsets('g', 'r', 'latest', 1, now(), 1);
SELECT * FROM topic.reset_offsets('g', 'r', 'Earliest');
SELECT * FROM topic.reset_offsets('g', 'r', 'none');
-- Other arguments
SELECT * FROM topic.reset_offsets('g', 'r', 'earliest', partitions => ARRAY[3]);
SELECT * FROM topic.reset_offsets('g', 'r', 'earliest', partitions => ARRAY[-1]);
SELECT * FROM topic.reset_offsets('g', 'r', 'earliest', partitions => ARRAY[0, NULL]);
SELECT * FROM topic.reset_offsets('', 'r', 'earliest');
SELECT * FROM topic.reset_offsets(NULL, 'r', 'earliest');
SELECT * FROM topic.reset_offsets('g', NULL, 'earliest');
SELECT * FROM topic.reset_offsets('g', 'missing', 'earliest');
SELECT partition, committed_offset FROM topic.committed('g', 'r');

SELECT topic.drop_topic('r');
