-- Text is stored as UTF-8 whatever the database's encoding, and converted back
-- when it is read. The same records in three databases.
\set database :DBNAME
CREATE DATABASE regress_topic_utf8 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
CREATE DATABASE regress_topic_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;
CREATE DATABASE regress_topic_sql_ascii ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;

-- What is sent and shown here is ASCII: e acute is chr(233) in UTF8 and
-- LATIN1, and the euro sign is in UTF8 only.
\c regress_topic_utf8
CREATE EXTENSION pg_topic;
SELECT topic.create_topic('t'), topic.create_topic('j', value_format => 'json'), topic.create_topic('b', value_format => 'bytes');
SELECT topic.produce('t', 'caf' || chr(233), 'k' || chr(233), jsonb_build_object('h' || chr(233), 'v' || chr(233)));
SELECT topic.produce('t', chr(8364), chr(128512));
SELECT record_offset, f.key, f.value, convert_to(h.key, 'UTF8') AS header_key, h.value AS header_value FROM topic.fetch('t') f LEFT JOIN unnest(f.headers) h ON true;
SELECT value = 'caf' || chr(233) AS value, key = 'k' || chr(233) AS key,
		headers->0->>0 = 'h' || chr(233) AS header_key, headers->0->>1 = 'v' || chr(233) AS header_value
	FROM topics.t WHERE record_offset = 0;
SELECT value = chr(8364) AS value, key = chr(128512) AS key FROM topic.fetch_text('t', from_offset => 1);
SELECT topic.produce('j', jsonb_build_object('a', chr(233)));
SELECT value FROM topic.fetch('j');
SELECT value->>'a' = chr(233) AS value FROM topics.j;
SELECT topic.partition_for_key('t', chr(233)) = topic.partition_for_key('t', '\xc3a9'::bytea) AS same;
-- Groups and metadata in __consumer_offsets, reasons of dead letters
SET pg_topic.offsets_topic = on;
SELECT topic.commit('gr' || chr(252) || 'n', 't', 0, 1, chr(233));
SELECT partition, key, substr(value, 15, 4) AS metadata FROM topics.__consumer_offsets;
SELECT topic.dead_letter('gr' || chr(252) || 'n', 't', 0, 0, 'caf' || chr(233));
SELECT h.key, h.value FROM topic.fetch('t.dlq') f, unnest(f.headers) h WHERE h.key ~ '(group|message)$';
SELECT topic.first_time('g', chr(233)), topic.first_time('g', chr(233));
-- Metadata that is too long is cut at the end of a character.
SELECT topic.commit('long', 't', 0, 1, repeat(chr(8364), 20000));
SELECT get_byte(value, 14) * 256 + get_byte(value, 15) AS length FROM topics.__consumer_offsets WHERE length(value) > 100;
SELECT topic.commit(chr(128512), 't', 0, 1);
SELECT partition FROM topics.__consumer_offsets WHERE key = '\x00010004f09f9880000174000000' || '\x00'::bytea;

\c regress_topic_latin1
CREATE EXTENSION pg_topic;
SET client_encoding = 'LATIN1';
SELECT topic.create_topic('t', 1000), topic.create_topic('j', value_format => 'json'), topic.create_topic('b', value_format => 'bytes');
SELECT topic.produce('t', 'caf' || chr(233), 'k' || chr(233), jsonb_build_object('h' || chr(233), 'v' || chr(233)), 0);
SELECT record_offset, f.key, f.value, convert_to(h.key, 'UTF8') AS header_key, h.value AS header_value FROM topic.fetch('t') f LEFT JOIN unnest(f.headers) h ON true;
SELECT value = 'caf' || chr(233) AS value, key = 'k' || chr(233) AS key,
		headers->0->>0 = 'h' || chr(233) AS header_key, headers->0->>1 = 'v' || chr(233) AS header_value
	FROM topics.t WHERE record_offset = 0;
SELECT (h).value FROM topic.fetch('t') f, unnest(f.headers) h;
SELECT headers::jsonb->0->>1 = 'v' || chr(233) AS as_jsonb FROM topic.fetch('t');
SELECT topic.produce('j', jsonb_build_object('a', chr(233)));
SELECT topic.produce('j', '{"a": "' || chr(233) || '"}');
SELECT topic.produce('j', ('{"a": "' || chr(233) || '"}')::json);
SELECT topic.produce('j', '\x7b2261223a2022c3a9227d'::bytea);
SELECT value FROM topic.fetch('j');
SELECT value->>'a' = chr(233) AS value FROM topics.j;
-- A key is hashed in UTF-8, as a Kafka client would.
SELECT topic.partition_for_key('t', chr(233)) = topic.partition_for_key('t', '\xc3a9'::bytea) AS same;
-- max_record_bytes counts bytes of UTF-8.
SELECT topic.create_topic('limited', max_record_bytes => 4);
SELECT topic.produce('limited', repeat(chr(233), 2));
SELECT topic.produce('limited', repeat(chr(233), 3));
-- What the database cannot show is an error that names the record, and is
-- there as bytes.
SELECT topic.produce('t', '\xe282ac'::bytea, partition => 1);
SELECT topic.produce('t', 'v'::bytea, key => '\xf09f9880'::bytea, partition => 2);
SELECT topic.produce('t', 'v', headers => '{"h": {"hex": "e282ac"}}', partition => 3);
SELECT partition, record_offset, key, value FROM topic.fetch('t') WHERE partition > 0;
SELECT value FROM topic.fetch_text('t', 1);
SELECT key, value FROM topic.fetch_text('t', 2);
SELECT headers FROM topic.fetch_text('t', 3);
SELECT value FROM topic.consume_text('g', 't', partitions => ARRAY[1]);
SELECT value FROM topics.t WHERE partition = 1;
SELECT h.value FROM topic.fetch('t', 3) f, unnest(f.headers) h;
SELECT topic.produce('j', '\x22e282ac22'::bytea);
SELECT count(*) FROM topic.fetch('j');
-- Groups and metadata in __consumer_offsets, reasons of dead letters
SET pg_topic.offsets_topic = on;
SELECT topic.commit('gr' || chr(252) || 'n', 't', 0, 1, chr(233));
SELECT partition, key, substr(value, 15, 4) AS metadata FROM topics.__consumer_offsets;
SELECT topic.dead_letter('gr' || chr(252) || 'n', 't', 0, 0, 'caf' || chr(233));
SELECT h.key, h.value FROM topic.fetch('t.dlq') f, unnest(f.headers) h WHERE h.key ~ '(group|message)$';
SELECT topic.first_time('g', chr(233)), topic.first_time('g', chr(233));

\c regress_topic_sql_ascii
CREATE EXTENSION pg_topic;
SELECT topic.create_topic('t');
-- Such a database does not know what its bytes are: they must be UTF-8.
SELECT topic.produce('t', 'ascii');
SELECT topic.produce('t', E'\xc3\xa9', E'k\xc3\xa9');
SELECT record_offset, key, value FROM topic.fetch('t');
SELECT value = E'\xc3\xa9' AS value, key = E'k\xc3\xa9' AS key FROM topics.t WHERE record_offset = 1;
SELECT topic.produce('t', E'\xe9');
SELECT topic.produce('t', 'v', E'\xe9');
SELECT count(*) FROM topics.t;
SET pg_topic.offsets_topic = on;
SELECT topic.commit(E'gr\xc3\xbcn', 't', 0, 1, E'\xc3\xa9');
SELECT partition, key, substr(value, 15, 4) AS metadata FROM topics.__consumer_offsets;
SELECT topic.commit(E'\xe9', 't', 0, 1);
SELECT topic.dead_letter('g', 't', 0, 0, E'\xe9');

\c :database
DROP DATABASE regress_topic_utf8;
DROP DATABASE regress_topic_latin1;
DROP DATABASE regress_topic_sql_ascii;
