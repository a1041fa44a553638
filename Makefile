# Builds in its own folder, and in any other: make -f SOURCE/Makefile, with or without VPATH=SOURCE.
source := $(patsubst %/,%,$(or $(VPATH),$(dir $(lastword $(MAKEFILE_LIST)))))
# The files of the source that match patterns, named as the source names them.
files = $(patsubst $(source)/%,%,$(wildcard $(addprefix $(source)/,$(1))))

EXTENSION = pg_steward
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" $(source)/$(EXTENSION).control)

# The parts of the install script, in the order in which they need each other.
SQL_PARTS = $(addprefix core/, steward muted_findings) \
	$(addprefix audit/, audit audit_read audit_enable audit_coverage audit_history audit_search audit_maintain audit_schedule \
		audit_repair audit_tenant) \
	$(addprefix search/, to_tsvector search_related) \
	$(addprefix upkeep/, upkeep updated_at row_version immutable append_only soft_delete soft_delete_unique soft_delete_view \
		soft_delete_enable soft_delete_ddl uuidv7) \
	$(addprefix search/, search search_parts) \
	$(addprefix tenant/, tenant) \
	$(addprefix tenant_check/, tenant_check_scope tenant_check_rows tenant_check_trust tenant_check_access tenant_check_setters tenant_harden tenant_check \
		tenant_probe tenant_fk) \
	$(addprefix tenant/, tenant_search tenant_fill tenant_policy tenant_protect tenant_child tenant_guard tenant_registry tenant_erase \
		tenant_schema_copy tenant_schema_read tenant_schema tenant_schema_migrate tenant_schema_drift) \
	$(addprefix operations/, operations backfill) \
	$(addprefix secret/, password) \
	$(addprefix monitor/, monitor_bloat monitor_activity monitor_vacuum monitor_tables monitor_indexes monitor_server \
		monitor_health monitor_checks monitor_findings monitor_readiness monitor_snapshot monitor_page monitor_report \
		monitor_export) \
	$(addprefix admin/, admin roles)
INSTALL_SQL = sql/$(EXTENSION)--$(EXTVERSION).sql

MODULE_big = $(EXTENSION)
OBJS := $(patsubst %.c,%.o,$(call files,src/*.c src/*/*.c))
DATA := $(call files,sql/$(EXTENSION)--*--*.sql)
DATA_built = $(INSTALL_SQL)
DOCS := $(call files,doc/*.md)
# What other programs load: Grafana, Prometheus, postgres_exporter.
MONITORING := $(call files,monitoring/*/*)
PG_CPPFLAGS = -I$(source)/src -DSTEWARD_VERSION=$(EXTVERSION)
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers $(EXTRA_CFLAGS)

# Regression, isolation and TAP tests are whatever stands in test/; := because PGXS asks ifdef, which sees an
# unexpanded value as set.
REGRESS := $(sort $(patsubst test/sql/%.sql,%,$(call files,test/sql/*.sql)))
REGRESS_OPTS = --inputdir=$(source)/test --load-extension=pgcrypto --load-extension=$(EXTENSION)
ISOLATION := $(sort $(patsubst test/specs/%.spec,%,$(call files,test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=$(source)/test --outputdir=. --load-extension=pgcrypto --load-extension=$(EXTENSION)
PROVE_TESTS := $(sort $(call files,test/t/*.pl))
TAP_TESTS := $(if $(PROVE_TESTS),1)
# pg_regress looks for expected/ where it runs.
REGRESS_PREP = expected_here
EXTRA_CLEAN = $(INSTALL_SQL) output_iso regression.diffs regression.out results tmp_check

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# RS256 and ES256 take OpenSSL: where the server has it, and its headers are here.
ifneq ($(filter -lcrypto,$(LIBS)),)
with_openssl := $(shell $(CC) $(CPPFLAGS) -fPIC -shared -include openssl/evp.h -x c -o /dev/null /dev/null -lcrypto 2>/dev/null && echo yes)
ifeq ($(with_openssl),yes)
override CPPFLAGS += -DSTEWARD_OPENSSL
SHLIB_LINK += -lcrypto
endif
endif

# What is built is never taken from the source's folder, in which somebody may have built before.
srcdir := $(source)
override VPATH :=
vpath %.c $(source)
vpath %.control $(source)

# The pages in a folder of their own, for their names are those of topics.
docmoduledir = extension/$(EXTENSION)
monitoringdir = $(datadir)/$(EXTENSION)

$(OBJS) $(OBJS:.o=.bc): $(wildcard $(source)/src/*/*.h) $(source)/$(EXTENSION).control | $(sort $(dir $(OBJS)))

$(INSTALL_SQL): $(SQL_PARTS:%=$(source)/sql/%.sql) $(source)/$(EXTENSION).control | sql/
	cat $(filter %.sql,$^) > $@

%/:
	mkdir -p $@

.PHONY: expected_here expected_gone install_monitoring uninstall_monitoring
expected_here:
	test -e expected || ln -s $(abspath $(source))/expected expected

clean: expected_gone
expected_gone:
	test ! -L expected || rm expected

install: install_monitoring
install_monitoring:
	$(MKDIR_P) $(addprefix '$(DESTDIR)$(monitoringdir)'/,$(sort $(dir $(MONITORING))))
	$(foreach file,$(MONITORING),$(INSTALL_DATA) '$(source)/$(file)' '$(DESTDIR)$(monitoringdir)/$(file)' &&) :

# PGXS looks for each page under the name that it has in the source, and leaves it.
uninstall: uninstall_monitoring
uninstall_monitoring:
	rm -rf '$(DESTDIR)$(monitoringdir)' '$(DESTDIR)$(docdir)/$(docmoduledir)'
