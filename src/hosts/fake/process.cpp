// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/fake/process.hpp>

#include <sel4vm/base/printable.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <system_error>
#include <unistd.h>

namespace sel4vm::fake {

Process &process() {
    static Process process;
    return process;
}

Process::Process() {
    if (const char *folder = std::getenv("SEL4VM_FAKE_FILES"))
        folder_ = folder;
}

Result<std::string, int> Process::file(const std::string &name) const {
    if (!is_used() || name.empty() || name.find('/') != std::string::npos || name == "." || name == "..")
        return Err{ENOENT};
    return read_file(folder_ + "/" + name);
}

std::string Process::missing(const std::string &name, int error) const {
    const std::string what = "there is no file '" + name + "'";
    if (!is_used())
        return what + ": SEL4VM_FAKE_FILES names no folder to take files from";
    return what + " in the folder '" + folder_ + "' (SEL4VM_FAKE_FILES): " + std::generic_category().message(error);
}

Result<std::string, int> Process::read_file(const std::string &path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return Err{int{errno}};
    std::string bytes;
    std::array<char, 65536> part{};
    ssize_t got = 0;
    do {
        got = ::read(file, part.data(), part.size());
        if (got > 0)
            bytes.append(part.data(), static_cast<size_t>(got));
    } while (got > 0 || (got < 0 && errno == EINTR));
    const int reason = errno;
    ::close(file);
    if (got < 0)
        return Err{int{reason}};
    return bytes;
}

void Process::put(std::string_view bytes) {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    std::fflush(stdout);
}

void Process::log(std::string_view source, std::string_view text) {
    const auto put = [](std::string_view part) { std::fwrite(part.data(), 1, part.size(), stderr); };
    put("sel4vm: ");
    show(source, put);
    put(": ");
    show(text, put);
    put("\n");
}

bool Process::is_readable(Wait wait) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    return poll(&input, 1, wait == Wait::yes ? -1 : 0) == 1;
}

bool Process::take_news(Wait wait) {
    if (told_ || at_end_ || !is_readable(wait))
        return false;
    told_ = true;
    return true;
}

size_t Process::get(std::span<char> out) {
    size_t count = 0;
    while (count < out.size() && !at_end_ && is_readable(Wait::no)) {
        const ssize_t got = read(STDIN_FILENO, out.data() + count, out.size() - count);
        at_end_ = got <= 0;
        count += got > 0 ? static_cast<size_t>(got) : 0;
    }
    if (count < out.size())
        told_ = false;
    return count;
}

} // namespace sel4vm::fake
