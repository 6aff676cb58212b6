/* Says what it was started with, and ends with the number of its arguments: a dynamic NetBSD program. */
#include <stdio.h>
#include <stdlib.h>

int
main(int argc, char *argv[])
{
	const char *greeting = getenv("GREETING");

	printf("%s from C\n", greeting != NULL ? greeting : "good day");
	for (int i = 0; i < argc; i++)
		printf("argument %d: %s\n", i, argv[i]);
	return argc;
}
