/*
 * tenant_internal.h
 *		What the files of the tenant module share, callee first.
 *
 *		tenant_payload.c	reading base64url and JSON, without the server
 *		tenant_value.c		what the text of a tenant or user means
 *		tenant_token.c		keys, and what a signed token says
 *		tenant_registry.c	which tenants may work, and where their schemas are
 *		tenant_current.c	the present context, and that of each query
 *		tenant_pin.c		the tenant and user that a transaction is bound to
 *		tenant_session.c	what the transaction must not leave to the session
 *		tenant_plan.c		columns that are compared with them
 *		tenant.c			the settings that hold the context
 *		tenant_schema.c		working in the schema of a tenant
 *		tenant_search.c		full-text search under row security
 *		tenant_parent.c		tenants of rows by the rows that they refer to
 */
#ifndef STEWARD_TENANT_INTERNAL_H
#define STEWARD_TENANT_INTERNAL_H

#include "tenant/tenant.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

/* tenant_payload.c */

/* Room for a tenant or user with its zero byte. */
#define STEWARD_TENANT_VALUE_SIZE	256

/* Room for a token, and so for whatever is in it. */
#define STEWARD_TOKEN_SIZE			8192

/* What a token says, as far as it is understood. */
typedef struct StewardTokenClaims
{
	char		values[STEWARD_TENANT_KINDS][STEWARD_TENANT_VALUE_SIZE];	/* "" for none */
	char		issuer[STEWARD_TENANT_VALUE_SIZE];
	bool		for_audience;	/* for the one that was asked for */
	bool		for_database;
	char		database[NAMEDATALEN];
	bool		for_role;
	char		role[NAMEDATALEN];
	bool		has_exp;
	bool		has_nbf;
	bool		has_iat;
	int64		exp;			/* microseconds since 1970 */
	int64		nbf;
	int64		iat;
	TimestampTz expires_at;		/* exp, as the server counts */
} StewardTokenClaims;

/* What a JWT's header says. */
typedef struct StewardTokenHeader
{
	bool		is_hs256;
	bool		has_kid;
	char		kid[65];
} StewardTokenHeader;

extern int	steward_base64url_decode(const char *text, size_t length, uint8 *out, size_t size);
extern const char *steward_token_parse_header(const char *json, size_t length,
											  StewardTokenHeader *header);
extern const char *steward_token_parse_claims(const char *json, size_t length,
											  const char *tenant_claim, const char *user_claim,
											  const char *audience,
											  StewardTokenClaims *claims);

/* tenant_value.c */

/* One value, with all that its text can mean. */
typedef struct TenantValue
{
	uint64		transaction;	/* in which it holds; 0 for none */
	bool		lasts;			/* holds in the session's others too */
	bool		is_bigint;
	bool		is_uuid;
	int64		bigint;
	pg_uuid_t	uuid;
	char		text[STEWARD_TENANT_VALUE_SIZE];
} TenantValue;

extern bool steward_tenant_canonicalize(char *text);
pg_noreturn extern void steward_tenant_refuse_form(const char *kind);
extern void steward_tenant_read_value(TenantValue *value, const char *text, uint64 holds_in, bool lasts);

/* tenant_token.c */
extern void steward_token_init(void);
extern const char *steward_token_read(const char *token, bool trusted, StewardTokenClaims *claims,
									  char *payload);

/* tenant_registry.c */

/* Whether a tenant may work. */
typedef enum StewardStanding
{
	TENANT_ACTIVE,
	TENANT_SUSPENDED,
	TENANT_ERASED,
} StewardStanding;

extern void steward_tenant_registry_changed(Oid relid);
extern StewardStanding steward_tenant_standing(const char *key);
extern void steward_tenant_require_active(const char *key);
extern char *steward_tenant_schema(const char *key);

/* tenant_current.c */

/* Instead of a transaction's number: the leader of this parallel worker has checked it. */
#define LEADERS_TRANSACTION	PG_UINT64_MAX

extern const char *const steward_tenant_kind_names[];
extern bool steward_tenant_sessions;

extern void steward_tenant_follow(const TenantValue *const *values, TimestampTz expires_at,
								  const char *token, TimestampTz keys_loaded);
extern void steward_tenant_next_transaction(void);
extern uint64 steward_tenant_transaction(void);
extern bool steward_tenant_holds(const TenantValue *value);
extern const TenantValue *steward_tenant_value(StewardTenantKind kind);
extern void steward_tenant_current_init(void);

/* tenant_pin.c */
extern bool steward_tenant_may_pin(StewardTenantKind kind, const char *text);
extern void steward_tenant_pin(StewardTenantKind kind, const TenantValue *value);
extern bool steward_tenant_bound(void);

/* tenant_session.c */
extern void steward_tenant_session_init(void);
extern void steward_tenant_check_object(ObjectAccessType access, Oid class, Oid object, int column, void *arg);
extern bool steward_tenant_holds_cursor(void);

/* tenant_plan.c */
extern void steward_tenant_discard_plans(const char *tenant);

/* tenant.c */
extern void steward_require_transaction(const char *function);

#endif							/* STEWARD_TENANT_INTERNAL_H */
