// SPDX-License-Identifier: BSD-2-Clause
//
// The application that a program's main() is the inside of.
#include <bindings/el2/program.hpp>

// What the linker is told to look for, so that this file is there.
extern "C" const char sel4vm_el2_program_start;
const char sel4vm_el2_program_start = 0;

// The program's own, whichever of C's two forms it has: arguments that a function does not take do it no harm.
extern "C" int main(int argument_count, char **arguments);

int sel4vm::el2::app_main(Host &host) {
    Program program(host);
    char name[] = "el2";
    char *arguments[] = {name, nullptr};
    program.exit(main(1, arguments));
}
