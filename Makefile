EXTENSION = pg_steward
EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" $(EXTENSION).control)

# The parts of the install script, in the order in which they need each other.
SQL_PARTS = $(addprefix core/, steward) \
	$(addprefix audit/, audit audit_tenant) \
	$(addprefix upkeep/, upkeep updated_at row_version append_only soft_delete uuidv7) \
	$(addprefix search/, to_tsvector search) \
	$(addprefix tenant/, tenant) \
	$(addprefix tenant_check/, tenant_check_scope tenant_check_rows tenant_check_access tenant_check tenant_probe tenant_fk) \
	$(addprefix tenant/, tenant_search tenant_policy tenant_protect tenant_guard tenant_registry tenant_erase \
		tenant_schema_copy tenant_schema) \
	$(addprefix monitor/, monitor_bloat monitor_activity monitor_vacuum monitor_tables monitor_indexes monitor_server \
		monitor_health monitor_checks monitor_findings monitor_readiness monitor_snapshot monitor_page monitor_report \
		monitor_export)
INSTALL_SQL = sql/$(EXTENSION)--$(EXTVERSION).sql

MODULE_big = $(EXTENSION)
OBJS = $(patsubst %.c,%.o,$(wildcard src/*.c src/*/*.c))
DATA = $(wildcard sql/$(EXTENSION)--*--*.sql)
DATA_built = $(INSTALL_SQL)
DOCS = $(wildcard doc/*.md)
PG_CPPFLAGS = -Isrc -DSTEWARD_VERSION=$(EXTVERSION)
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers $(EXTRA_CFLAGS)

# Regression, isolation and TAP tests are whatever stands in test/; := because PGXS asks ifdef, which sees an
# unexpanded value as set.
REGRESS := $(sort $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --load-extension=pgcrypto --load-extension=$(EXTENSION)
ISOLATION := $(sort $(patsubst test/specs/%.spec,%,$(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=. --load-extension=pgcrypto --load-extension=$(EXTENSION)
PROVE_TESTS := $(sort $(wildcard test/t/*.pl))
TAP_TESTS := $(if $(PROVE_TESTS),1)
EXTRA_CLEAN = $(INSTALL_SQL) output_iso regression.diffs regression.out results tmp_check

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(OBJS): $(wildcard src/*/*.h) $(EXTENSION).control

$(INSTALL_SQL): $(SQL_PARTS:%=sql/%.sql) $(EXTENSION).control
	cat $(SQL_PARTS:%=sql/%.sql) > $@
