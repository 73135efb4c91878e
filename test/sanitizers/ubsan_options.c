/*-------------------------------------------------------------------------
 *
 * ubsan_options.c
 *		Has UndefinedBehaviorSanitizer know its options in servers, too.
 *
 * The sanitizer looks for UBSAN_OPTIONS when it has something to report, in the
 * memory that the kernel started the process with.  A server has its title
 * there by then: so options are told from here, where PostgreSQL's programs
 * are linked with this.  Beside AddressSanitizer the library also does not
 * heed log_path; that must be the last option, and is set here.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* Weak: PostgreSQL's link commands have its compiler flags twice. */
const char *__ubsan_default_options(void) __attribute__((weak));

const char *
__ubsan_default_options(void)
{
	const char *options = getenv("UBSAN_OPTIONS");

	return options ? options : "";
}

static void set_report_path(void) __attribute__((constructor));

static void
set_report_path(void)
{
	const char *option = strstr(__ubsan_default_options(), "log_path=");
	void	   *library = dlopen("libubsan.so.1", RTLD_NOW | RTLD_NOLOAD);
	void		(*set_path) (const char *);

	if (!option || !library)
		return;
	/* AddressSanitizer has one of that name, which comes first. */
	*(void **) &set_path = dlsym(library, "__sanitizer_set_report_path");
	set_path(option + strlen("log_path="));
}
