-- One batch: wait, outside of a transaction, then consume, write and commit in
-- one.
CALL topic.wait_for_records('arrivals', 'flights');

BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO arrival
    SELECT partition, record_offset, key, value ->> 'destination',
        (value ->> 'delay')::int
    FROM topic.consume_json('arrivals', 'flights', max_records => 250);
SELECT * FROM topic.commit('arrivals', 'flights');
COMMIT;
