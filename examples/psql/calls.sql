-- How values go into the calls: as literals, or as variables of psql.
--
--      psql -v name="it's alice" -f calls.sql
\set ON_ERROR_STOP on
SELECT topic.produce('calls', 'hello', key => :'name');
SELECT topic.produce('calls', '{"total": 20}'::jsonb, key => 42,
                     headers => '{"source": "web"}');
SELECT topic.produce('calls', 'no key', key => NULL::text);
SELECT topic.produce('calls', NULL,
                     key => '0190163d-8694-739b-aea5-966c26f8ad91'::uuid);
SELECT topic.produce('calls', '\x6279746573'::bytea, key => '\x6b6579'::bytea);
SELECT * FROM topic.produce_batch('calls', ARRAY['a', 'b'], keys => ARRAY[:'name', NULL]);
SELECT * FROM topic.produce_batch('calls', ARRAY['{"total": 1}', '{"total": 2}']::jsonb[]);
SELECT * FROM topic.produce_batch('calls', '{}'::text[]);
