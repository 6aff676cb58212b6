/* Makes a program process 1 of the Linux guest by itself: nothing runs before its `main`, which the compiler is told to call `program_main`, and
 * after it the machine is switched off. This is the quickest start that a Linux guest can have. */
#include "power_off.h"

int program_main(int count, char **arguments);

int main(int count, char **arguments) {
    power_off(program_main(count, arguments));
}
