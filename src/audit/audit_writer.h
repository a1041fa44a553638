/*
 * audit_writer.h
 *		What writes a value as jsonb: simple values in audit_scalar.c, those that have
 *		others within them in audit_json.c.
 */
#ifndef STEWARD_AUDIT_WRITER_H
#define STEWARD_AUDIT_WRITER_H

#include "audit/audit_internal.h"

/* Where an object is being written, and what is known of what has been. */
typedef struct AuditWriter
{
	StringInfo	out;
	AuditColumn *column;		/* whose value it is */
	int			depth;			/* of the array or composite value, 0: none */
	bool		is_key;			/* equal keys are written alike */
	bool		exact;			/* the present array or composite value comes
								 * back from what was written of it */
	List	   *inexact;		/* columns that do not */
	List	   *documents;		/* what each json column was read as; NULL if
								 * it is no jsonb */
	bool		again;			/* the object was written before, and so read */
	int			next_document;	/* then, of "documents" */
} AuditWriter;

pg_noreturn extern void steward_audit_too_long(AuditWriter *writer);
extern JEntry steward_audit_append_jsonb(AuditWriter *writer, Jsonb *document);
extern JEntry steward_audit_append_output(AuditWriter *writer, AuditType *type, Datum value);
extern JEntry steward_audit_append_scalar(AuditWriter *writer, AuditType *type, Datum value);

/* Raises 54000 when a jsonb would grow past what its entries can count. */
static inline void
check_length(AuditWriter *writer, size_t length)
{
	if (length > JENTRY_OFFLENMASK)
		steward_audit_too_long(writer);
}

/* Appends zero bytes up to a multiple of four; returns how many. */
static inline int
append_padding(StringInfo out)
{
	int			padding = INTALIGN(out->len) - out->len;

	for (int i = 0; i < padding; i++)
		appendStringInfoCharMacro(out, '\0');
	return padding;
}

#endif							/* STEWARD_AUDIT_WRITER_H */
