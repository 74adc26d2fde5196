// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/fake/process.hpp>

#include <sel4vm/base/printable.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <poll.h>
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

std::optional<std::string> Process::file(const std::string &name) const {
    if (!is_used() || name.empty() || name.find('/') != std::string::npos || name == "." || name == "..")
        return std::nullopt;
    std::ifstream in(folder_ + "/" + name, std::ios::binary);
    if (!in)
        return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(in), {});
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
