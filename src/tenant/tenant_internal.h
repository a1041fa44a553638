/*
 * tenant_internal.h
 *		What the files of the tenant module share, callee first.
 *
 *		tenant_json.c		reading base64url and JSON, without the server
 *		tenant_payload.c	what header and claims of a token say
 *		tenant_value.c		what the text of a tenant or user means
 *		tenant_jwks.c		reading sets of public keys, without the server
 *		tenant_keys_file.c	the files of keys
 *		tenant_keys.c		the secret keys of tokens
 *		tenant_public_keys.c	the public keys of tokens
 *		tenant_signature.c	the parts of a token, and its signature
 *		tenant_token.c		whether a token holds
 *		tenant_sign.c		making tokens
 *		tenant_registry.c	which tenants may work, and where their schemas are
 *		tenant_current.c	the present context, and functions that ask for it
 *		tenant_notice.c		telling who forgot the context
 *		tenant_query.c		the context of each query
 *		tenant_pin.c		the tenant and user that a transaction is bound to
 *		tenant_session.c	what the transaction must not leave to the session
 *		tenant_plan.c		columns that are compared with them
 *		tenant.c			the settings that hold the context
 *		tenant_schema.c		working in the schema of a tenant
 *		tenant_search.c		full-text search under row security
 *		tenant_parent.c		tenants of rows by the rows that they refer to
 *		tenant_fill.c		tenants of rows that name none
 */
#ifndef STEWARD_TENANT_INTERNAL_H
#define STEWARD_TENANT_INTERNAL_H

#include "tenant/tenant.h"
#include "common/sha2.h"
#include "executor/execdesc.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* tenant_json.c */

/* Where in a text reading is. */
typedef struct StewardJson
{
	const char *at;
	const char *end;
} StewardJson;

/* A number as it is written. */
typedef struct StewardJsonNumber
{
	const char *text;
	int			length;
	bool		is_integer;		/* neither fraction nor exponent */
	bool		has_exponent;
} StewardJsonNumber;

extern int	steward_base64url_decode(const char *text, size_t length, uint8 *out, size_t size);
extern bool steward_json_accept(StewardJson *r, char c);
extern bool steward_json_string(StewardJson *r, char *out, size_t size, bool *fits);
extern bool steward_json_number(StewardJson *r, StewardJsonNumber *number);
extern bool steward_json_word(StewardJson *r, const char *word);
extern char steward_json_next(StewardJson *r);
extern bool steward_json_skip(StewardJson *r, int depth);
extern bool steward_json_member(StewardJson *r, bool first, char *key, size_t size);
extern bool steward_json_ended(StewardJson *r);
extern bool steward_json_optional(StewardJson *r, char *out, size_t size);

/* tenant_payload.c */

/* Room for a tenant or user with its zero byte. */
#define STEWARD_TENANT_VALUE_SIZE	256

/* Room for a token, and so for whatever is in it. */
#define STEWARD_TOKEN_SIZE			8192

/* How many names a claim's path may have, and room for each. */
#define STEWARD_CLAIM_STEPS			8
#define STEWARD_CLAIM_SIZE			128

/* Where a claim stands: the keys of the objects that it is in, and its own; nowhere, if there is none. */
typedef struct StewardClaimPath
{
	int			nsteps;
	char		steps[STEWARD_CLAIM_STEPS][STEWARD_CLAIM_SIZE];
} StewardClaimPath;

/* Where the claims stand whose place can be chosen. */
typedef struct StewardClaimPaths
{
	const StewardClaimPath *tenant;
	const StewardClaimPath *user;
	const StewardClaimPath *role;
} StewardClaimPaths;

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
	TimestampTz expires_at;		/* exp and the leeway, as the server counts */
} StewardTokenClaims;

/* How a token is signed (RFC 7518). */
typedef enum StewardAlgorithm
{
	STEWARD_NO_ALGORITHM,
	STEWARD_HS256,
	STEWARD_RS256,
	STEWARD_ES256,
} StewardAlgorithm;

/* Room for the id of a key with its zero byte. */
#define STEWARD_KID_SIZE			129

/* What a JWT's header says. */
typedef struct StewardTokenHeader
{
	StewardAlgorithm algorithm;
	bool		has_kid;
	char		kid[STEWARD_KID_SIZE];
} StewardTokenHeader;

extern const char *steward_token_parse_header(const char *json, size_t length,
											  StewardTokenHeader *header);
extern const char *steward_claim_path_parse(const char *text, StewardClaimPath *path);
extern const char *steward_token_parse_claims(const char *json, size_t length,
											  const StewardClaimPaths *paths,
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

/* tenant_jwks.c */

#define STEWARD_MAX_KEYS	64

/* A public key: RSA's two numbers, or a point of P-256. */
typedef struct StewardJwk
{
	StewardAlgorithm algorithm; /* that it is for */
	bool		has_kid;
	char		kid[STEWARD_KID_SIZE];
	uint8		modulus[STEWARD_SIGNATURE_SIZE];
	int			modulus_length;
	uint8		exponent[8];
	int			exponent_length;
	uint8		x[STEWARD_P256_SIZE];
	uint8		y[STEWARD_P256_SIZE];
} StewardJwk;

extern const char *steward_jwks_parse(const char *json, size_t length, StewardJwk *jwks, int *njwks);

/* tenant_keys_file.c */

/* A file of keys. */
typedef struct StewardKeysFile
{
	const char *setting;		/* that names it */
	const char *path;
	bool		secret;
} StewardKeysFile;

extern int	steward_keys_file_read(const StewardKeysFile *file, char *text, size_t size);
extern void steward_keys_file_refuse(const StewardKeysFile *file, const char *wrong);

/* tenant_keys.c */

typedef struct StewardTokenKey
{
	char		kid[65];
	const uint8 *secret;
	int			length;
} StewardTokenKey;

/* Keys in their order; the secrets stand in the text. */
typedef struct StewardTokenKeys
{
	int			nkeys;
	StewardTokenKey keys[STEWARD_MAX_KEYS];
	char		text[FLEXIBLE_ARRAY_MEMBER];
} StewardTokenKeys;

extern const StewardTokenKeys *steward_token_keys(const char **reason);
extern void steward_token_keys_init(void);

/* tenant_public_keys.c */

typedef struct StewardTokenPublicKey
{
	StewardAlgorithm algorithm;
	bool		has_kid;
	char		kid[STEWARD_KID_SIZE];
	StewardPublicKey *key;
} StewardTokenPublicKey;

typedef struct StewardPublicKeys
{
	int			nkeys;
	StewardTokenPublicKey keys[STEWARD_MAX_KEYS];
} StewardPublicKeys;

extern const StewardPublicKeys *steward_token_public_keys(const char **reason);
extern void steward_token_public_keys_init(void);

/* tenant_signature.c */

/* A token's parts, as they stand in it. */
typedef struct StewardTokenParts
{
	const char *payload;
	size_t		payload_length;
	size_t		signed_length;
	StewardAlgorithm algorithm;
	bool		has_kid;
	char		kid[STEWARD_KID_SIZE];
	uint8		signature[STEWARD_SIGNATURE_SIZE];
	int			signature_length;
} StewardTokenParts;

extern const char *steward_token_split(const char *token, StewardTokenParts *parts);
extern const char *steward_token_check_signature(const char *token, const StewardTokenParts *parts);

/* tenant_token.c */

/* The server's time 0, in microseconds since 1970. */
#define UNIX_EPOCH_IN_POSTGRES \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * USECS_PER_SEC)

extern StewardClaimPaths steward_claim_paths;
extern char *steward_tenant_token_audience;
extern char *steward_tenant_token_issuer;

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

typedef struct ReadyValue ReadyValue;

/*
 * A query that is being run, or will be run on, as cursors are.  It works for
 * the tenant and user that there are when it asks for them first, or when it starts.
 */
typedef struct TenantQuery
{
	dlist_node	node;			/* of kept_queries */
	MemoryContextCallback ended;
	EState	   *state;
	uint64		number;			/* unique in this process */
	uint64		settings;		/* for which is known ... */
	bool		stands;			/* ... whether the context held ... */
	TimestampTz judged_at;		/* ... at this time; 0: no matter when */
	bool		run;			/* has been run before */
	bool		asked[STEWARD_TENANT_KINDS];
	const ReadyValue *values[STEWARD_TENANT_KINDS]; /* the answers */
} TenantQuery;

extern const char *const steward_tenant_kind_names[];
extern const char *const steward_tenant_hint;
extern bool steward_tenant_sessions;

extern void steward_tenant_follow(const TenantValue *const *values, TimestampTz expires_at,
								  const char *token, TimestampTz keys_loaded);
extern void steward_tenant_next_transaction(void);
extern uint64 steward_tenant_transaction(void);
extern bool steward_tenant_holds(const TenantValue *value);
extern const TenantValue *steward_tenant_value(StewardTenantKind kind);
extern bool steward_tenant_has_context(void);
extern bool steward_tenant_stands(TenantQuery *it);
extern bool steward_tenant_missing(StewardTenantKind kind);
extern TenantQuery *steward_tenant_work_in(TenantQuery *it);
extern void steward_tenant_ask(void);
extern void steward_tenant_check_query(const TenantQuery *it);
extern void steward_tenant_current_init(void);

/* tenant_notice.c */
extern void steward_tenant_notice(QueryDesc *desc);
extern void steward_tenant_explain_refusal(QueryDesc *desc);
extern void steward_tenant_notice_init(void);

/* tenant_query.c */
extern void steward_tenant_query_init(void);

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
extern void steward_tenant_leave_out_implied(Query *query);
extern void steward_tenant_quicken(PlannedStmt *plan);

/* tenant.c */
extern void steward_require_transaction(const char *function);

#endif							/* STEWARD_TENANT_INTERNAL_H */
