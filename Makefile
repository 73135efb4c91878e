# pg_topic: Kafka-style topics in PostgreSQL. Built with PGXS:
#
#	make && make install
#	make installcheck			pg_regress and isolation tests, on a running server
#	make prove_installcheck		TAP tests, of the installed extension on servers of
#								their own
#	scripts/test.sh				everything, on servers of its own

EXTENSION = pg_topic
# The version is read from the control file and stands nowhere else.
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" pg_topic.control)

MODULE_big = pg_topic
OBJS = $(sort $(patsubst %.c,%.o,$(wildcard src/*.c)))

# lz4 and zstd: topics' compression; zlib and snappy: batches of Kafka producers
SHLIB_LINK = -llz4 -lzstd -lz -lsnappy

# The install script, part by part, in the order in which they need each other.
SQL_PARTS = prologue catalog header topic_fdw topic segment retention producer \
	producer_state produced_key produce produce_query send fetch \
	time_index group consumer_offset consume commit group_member poll \
	member_commit first_time dead_letter wait_for_records capture \
	maintenance monitor
DATA_built = sql/install/$(EXTENSION)--$(EXTVERSION).sql
# Those of released versions, and the scripts that upgrade them.
DATA = $(wildcard sql/versions/*.sql)

# Tests on a running server.  TAP_TESTS is not set: it would have installcheck
# fail where the Perl modules are missing.
REGRESS = $(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql)))
REGRESS_OPTS = --load-extension=$(EXTENSION)
ISOLATION = $(sort $(patsubst test/isolation/specs/%.spec,%,$(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=test/isolation \
	--load-extension=$(EXTENSION)
PROVE_TESTS ?= $(sort $(wildcard test/t/*.pl))

EXTRA_CLEAN = sql/install test/isolation/results \
	test/isolation/regression.diffs test/isolation/regression.out

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq ($(wildcard $(PGXS)),)
$(error $(PG_CONFIG) does not lead to the headers of a PostgreSQL server: install them, or set PG_CONFIG)
endif
include $(PGXS)

$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*.h)

src/catalog.o src/catalog.bc: CPPFLAGS += -DPG_TOPIC_VERSION='"$(EXTVERSION)"'
src/catalog.o src/catalog.bc: pg_topic.control

$(DATA_built): $(patsubst %,src/%.sql,$(SQL_PARTS))
	mkdir -p $(@D)
	cat $^ > $@

prove_installcheck:
	$(prove_installcheck)

.PHONY: prove_installcheck
