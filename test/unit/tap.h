/*-------------------------------------------------------------------------
 *
 * tap.h
 *		As much of the Test Anything Protocol as the unit tests need.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdio.h>

static int	tap_tests = 0;
static int	tap_failures = 0;

/*
 * Report one test.  Returns whether it passed, so that the caller can add
 * what it knows.
 */
__attribute__((format(printf, 2, 3)))
static inline bool
ok(bool passed, const char *format,...)
{
	va_list		args;

	tap_tests++;
	if (!passed)
		tap_failures++;
	printf("%sok %d - ", passed ? "" : "not ", tap_tests);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	return passed;
}

/*
 * Say more about a failure.
 */
__attribute__((format(printf, 1, 2)))
static inline void
diag(const char *format,...)
{
	va_list		args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

/*
 * The plan; returns the exit status of the program.
 */
static inline int
tap_done(void)
{
	printf("1..%d\n", tap_tests);
	return tap_failures == 0 ? 0 : 1;
}

#endif							/* TAP_H */
