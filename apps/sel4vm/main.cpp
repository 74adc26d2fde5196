// SPDX-License-Identifier: BSD-2-Clause
//
// sel4vm, the workstation tool: see sel4vm(1). Turns whatever goes wrong into one sentence and an exit status.
#include <apps/sel4vm/commands.hpp>
#include <apps/sel4vm/text.hpp>
#include <sel4vm/base/assert.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <new>
#include <string>
#include <unistd.h>

// The library's own bugs end here.
[[noreturn]] void sel4vm::panic(const char *message, const char *file, unsigned line) {
    std::fprintf(stderr, "sel4vm: error: a bug in sel4vm: %s (%s:%u); please report it\n", message, file, line);
    std::_Exit(static_cast<int>(cli::ExitStatus::emulator_failed));
}

namespace {

using namespace sel4vm::cli;

struct Execute {
    ExitStatus operator()(const Printed &printed) const {
        std::fputs(printed.text.c_str(), stdout);
        return ExitStatus::ok;
    }
    ExitStatus operator()(const CheckOptions &options) const { return check(options); }
    ExitStatus operator()(const BuildOptions &options) const { return build(options); }
    ExitStatus operator()(const RunOptions &options) const { return run(options); }
    ExitStatus operator()(const InspectOptions &options) const { return inspect(options); }
};

int fail(ExitStatus status, const std::string &sentence) {
    print_message("error: " + sentence);
    return static_cast<int>(status);
}

int run_tool(int argc, char **argv) {
    try {
        const ExitStatus status = std::visit(Execute{}, parse_command_line(argc, argv));
        if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
            return fail(ExitStatus::emulator_failed, "standard output cannot be written");
        return static_cast<int>(status);
    } catch (const Failure &failure) {
        for (const std::string &sentence : failure.sentences())
            fail(failure.status(), sentence);
        return static_cast<int>(failure.status());
    } catch (const std::bad_alloc &) {
        return fail(ExitStatus::emulator_failed, "not enough memory on this PC");
    } catch (const std::exception &error) {
        return fail(ExitStatus::emulator_failed, error.what());
    } catch (...) {
        return fail(ExitStatus::emulator_failed, "an error without a description");
    }
}

} // namespace

int main(int argc, char **argv) {
    // A descriptor of 0 to 2 that is closed would be given to the next file that is opened.
    for (int fd = 0; fd < 3; ++fd)
        if (::fcntl(fd, F_GETFD) < 0)
            static_cast<void>(::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY));
    std::signal(SIGPIPE, SIG_IGN); // a reader that goes away is an error of write()
    return run_tool(argc, argv);
}
