\echo Use "CREATE EXTENSION pg_topic" to load this file. \quit

