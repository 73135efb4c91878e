/*-------------------------------------------------------------------------
 *
 * arguments.h
 *		Arguments of SQL functions that are not STRICT.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_ARGUMENTS_H
#define TOPIC_ARGUMENTS_H

#include "fmgr.h"

#include "compat.h"
#include "topic.h"

pg_noreturn extern void report_null_argument(const char *name);

/* A text argument that must not be NULL. */
extern char *text_argument(FunctionCallInfo fcinfo, int number,
						   const char *name);

/*
 * A text argument that must be one of the names, which end in NULL: the index
 * of the one that it is.
 */
extern int	choice_argument(FunctionCallInfo fcinfo, int number,
							const char *name, const char *const *names);

/* The same, given the text. */
extern int	choice_from_name(const char *value, const char *name,
							 const char *const *names);

/* The elements of a text[] argument: at least one, and none is NULL. */
extern List *names_argument(FunctionCallInfo fcinfo, int number,
							const char *name);

/* A group's id: 1 to 255 bytes. */
extern void check_group_id(const char *group_id);
extern char *group_argument(FunctionCallInfo fcinfo, int number);

/*
 * An integer argument that must not be less than `minimum`; if NULL, the
 * default.
 */
extern int64 int_argument(FunctionCallInfo fcinfo, int number,
						  const char *name, int64 minimum,
						  int64 default_value);
extern int64 bigint_argument(FunctionCallInfo fcinfo, int number,
							 const char *name, int64 minimum,
							 int64 default_value);

/* A timestamptz argument as milliseconds since 1970; if NULL, the default. */
extern int64 time_argument(FunctionCallInfo fcinfo, int number,
						   int64 default_value);

/* Which partitions are meant: those that the argument lists; if NULL, all. */
extern bool *partitions_argument(FunctionCallInfo fcinfo, int number,
								 const Topic *topic);

#endif							/* TOPIC_ARGUMENTS_H */
